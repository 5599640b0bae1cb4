-- Database bi: what BI tools read. Plain views with ordinary column types, a comment on every column and view, and the
-- definitions of the API. Each runs as its definer, tidemark_bi, whose row policies (deploy/clickhouse/users.xml) let
-- through the tenant of the user who asks, down at the tables: whatever that user writes into a query is evaluated
-- over its own rows alone. A user sees a view when its role is granted it there.
CREATE DATABASE IF NOT EXISTS bi ENGINE = Atomic;

CREATE OR REPLACE VIEW bi.tenants
(
    tenant          String COMMENT 'The tenant''s id',
    name            String COMMENT 'What the tenant is called',
    time_zone       String COMMENT 'The IANA time zone whose calendar days every day column means',
    contract_months UInt32 COMMENT 'Months for which a client''s contract binds it'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a tenant: its name and reporting time zone as the directory has them now'
AS SELECT
    tenant AS tenant,
    newest.name AS name,
    newest.time_zone AS time_zone,
    newest.contract_months AS contract_months
FROM (SELECT tenant, max(record) AS newest FROM tidemark.directory_tenants GROUP BY tenant);

-- Whoever was erased stays in the numbers without a name; one of whom nothing but the erasure was told counts as a
-- member when there are licences or a member's actions.
CREATE OR REPLACE VIEW bi.members
(
    tenant  String COMMENT 'The tenant',
    user_id String COMMENT 'A user of kind member'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'The population: the users whom every number about users is over'
AS SELECT
    tenant AS tenant,
    user_id AS user_id
FROM (
    SELECT tenant, user_id, max(record) AS newest, max(personal) AS person
    FROM tidemark.directory_users
    GROUP BY tenant, user_id
)
WHERE newest.kind = 'member' OR (person.erased AND newest.kind = '');

CREATE OR REPLACE VIEW bi.teams
(
    tenant  String COMMENT 'The tenant',
    team_id String COMMENT 'The team''s id',
    name    String COMMENT 'What the team is called'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a team, as the directory has it now'
AS SELECT
    tenant AS tenant,
    team_id AS team_id,
    newest.name AS name
FROM (SELECT tenant, team_id, max(record) AS newest FROM tidemark.directory_teams GROUP BY tenant, team_id);

CREATE OR REPLACE VIEW bi.user_teams
(
    tenant    String COMMENT 'The tenant',
    user_id   String COMMENT 'The user',
    team_id   String COMMENT 'A team that the user belongs to now',
    team_name String COMMENT 'What the team is called; empty when the directory does not know it'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a user and team, as the directory has it now; a user of two teams counts in both'
AS SELECT
    belongs.tenant AS tenant,
    belongs.user_id AS user_id,
    belongs.team_id AS team_id,
    teams.name AS team_name
FROM (
    SELECT tenant, user_id, arrayJoin(arrayDistinct(newest.team_ids)) AS team_id
    FROM (SELECT tenant, user_id, max(record) AS newest FROM tidemark.directory_users GROUP BY tenant, user_id)
) AS belongs
LEFT JOIN bi.teams AS teams ON teams.tenant = belongs.tenant AND teams.team_id = belongs.team_id;

CREATE OR REPLACE VIEW bi.users_anonymous
(
    tenant         String COMMENT 'The tenant',
    user_id        String COMMENT 'The user''s id, the actor_id of actions',
    kind           String COMMENT 'member (a licensed user) or client (a client''s user); empty when the directory was told of an erasure alone',
    is_member      Bool COMMENT 'Whether the user is of the population that the numbers about users are over',
    client_id      String COMMENT 'The client whose user it is; empty for a member',
    role           String COMMENT 'The role in the host application; empty when unknown',
    teams          String COMMENT 'Names of the user''s teams in alphabetical order, separated by comma and space',
    license_status String COMMENT 'The licence now: live, disabled, deleted or none',
    erased         Bool COMMENT 'Whether the person''s data were erased'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a user, without names and e-mail addresses'
AS SELECT
    users.tenant AS tenant,
    users.user_id AS user_id,
    users.newest.kind AS kind,
    users.newest.kind = 'member' OR (users.person.erased AND users.newest.kind = '') AS is_member,
    users.newest.client_id AS client_id,
    users.newest.role AS role,
    belongs.teams AS teams,
    multiIf(licenses.verb = '', 'none', licenses.verb IN ('assigned', 'enabled'), 'live', licenses.verb) AS license_status,
    users.person.erased AS erased
FROM (
    SELECT tenant, user_id, max(record) AS newest, max(personal) AS person
    FROM tidemark.directory_users
    GROUP BY tenant, user_id
) AS users
LEFT JOIN (
    SELECT tenant, user_id, arrayStringConcat(arraySort(groupArray(team_name)), ', ') AS teams
    FROM bi.user_teams
    GROUP BY tenant, user_id
) AS belongs ON belongs.tenant = users.tenant AND belongs.user_id = users.user_id
LEFT JOIN (
    SELECT tenant, user_id, toString(argMax(verb, (time, event_id))) AS verb
    FROM tidemark.directory_license_events
    WHERE time <= now64(3)
    GROUP BY tenant, user_id
) AS licenses ON licenses.tenant = users.tenant AND licenses.user_id = users.user_id;

CREATE OR REPLACE VIEW bi.users
(
    tenant         String COMMENT 'The tenant',
    user_id        String COMMENT 'The user''s id, the actor_id of actions',
    name           Nullable(String) COMMENT 'Personal: the user''s name as the directory has it now; NULL when erased',
    email          Nullable(String) COMMENT 'Personal: the user''s e-mail address as the directory has it now; NULL when erased',
    kind           String COMMENT 'member (a licensed user) or client (a client''s user); empty when the directory was told of an erasure alone',
    is_member      Bool COMMENT 'Whether the user is of the population that the numbers about users are over',
    client_id      String COMMENT 'The client whose user it is; empty for a member',
    role           String COMMENT 'The role in the host application; empty when unknown',
    teams          String COMMENT 'Names of the user''s teams in alphabetical order, separated by comma and space',
    license_status String COMMENT 'The licence now: live, disabled, deleted or none',
    erased         Bool COMMENT 'Whether the person''s data were erased'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a user, with names and e-mail addresses'
AS SELECT
    users.tenant AS tenant,
    users.user_id AS user_id,
    if(users.erased, NULL, names.person.name) AS name,
    if(users.erased, NULL, names.person.email) AS email,
    users.kind AS kind,
    users.is_member AS is_member,
    users.client_id AS client_id,
    users.role AS role,
    users.teams AS teams,
    users.license_status AS license_status,
    users.erased AS erased
FROM bi.users_anonymous AS users
LEFT JOIN (
    SELECT tenant, user_id, max(personal) AS person FROM tidemark.directory_users GROUP BY tenant, user_id
) AS names ON names.tenant = users.tenant AND names.user_id = users.user_id;

CREATE OR REPLACE VIEW bi.clients
(
    tenant    String COMMENT 'The tenant',
    client_id String COMMENT 'The client''s id',
    name      String COMMENT 'What the client is called'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a client, as the directory has it now'
AS SELECT
    tenant AS tenant,
    client_id AS client_id,
    newest.name AS name
FROM (SELECT tenant, client_id, max(record) AS newest FROM tidemark.directory_clients GROUP BY tenant, client_id);

CREATE OR REPLACE VIEW bi.jobs
(
    tenant    String COMMENT 'The tenant',
    job_id    String COMMENT 'The job''s id',
    title     String COMMENT 'The job''s title',
    client_id String COMMENT 'The client whose job it is',
    status    String COMMENT 'open or closed'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a job, as the directory has it now'
AS SELECT
    tenant AS tenant,
    job_id AS job_id,
    newest.title AS title,
    newest.client_id AS client_id,
    newest.status AS status
FROM (SELECT tenant, job_id, max(record) AS newest FROM tidemark.directory_jobs GROUP BY tenant, job_id);

CREATE OR REPLACE VIEW bi.candidates
(
    tenant       String COMMENT 'The tenant',
    candidate_id String COMMENT 'The candidate''s id',
    name         Nullable(String) COMMENT 'Personal: the candidate''s name as the directory has it now; NULL when erased',
    email        Nullable(String) COMMENT 'Personal: the candidate''s e-mail address as the directory has it now; NULL when erased',
    erased       Bool COMMENT 'Whether the person''s data were erased'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a candidate, with names and e-mail addresses'
AS SELECT
    tenant AS tenant,
    candidate_id AS candidate_id,
    if(newest.erased, NULL, newest.name) AS name,
    if(newest.erased, NULL, newest.email) AS email,
    newest.erased AS erased
FROM (
    SELECT tenant, candidate_id, max(record) AS newest FROM tidemark.directory_candidates GROUP BY tenant, candidate_id
);
