-- Where rollups are built anew before they take the place of what is there; nobody reads it.
CREATE DATABASE IF NOT EXISTS tidemark_rebuild;
