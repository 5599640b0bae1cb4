-- When do people work? Members' actions of the last 28 days by weekday (1 is Monday) and hour of the tenant's own clock.
SELECT
    toDayOfWeek(day) AS weekday,
    toUInt8(substring(local_time, 12, 2)) AS hour,
    count() AS actions,
    uniqExact(actor_id) AS members
FROM bi.action_log_anonymous
WHERE occurred_at > now() - INTERVAL 28 DAY AND counts
GROUP BY weekday, hour
ORDER BY weekday, hour
