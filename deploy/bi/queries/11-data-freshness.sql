-- How fresh are the numbers? When the newest action was received, how many minutes ago, and how many came since.
SELECT
    last_received_at,
    dateDiff('minute', last_received_at, now64(3)) AS minutes_ago,
    last_hour AS actions_of_the_last_hour,
    last_day AS actions_of_the_last_day
FROM bi.freshness
