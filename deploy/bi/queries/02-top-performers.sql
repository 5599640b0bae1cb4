-- Who are the top performers? The ten members with the most placements of the last 90 days, then the most interviews, and
-- each one's share of all that members entered. What a client or a service entered is no member's.
SELECT
    daily.user_id AS user_id,
    sum(daily.placements) AS placements,
    sum(daily.interviews_scheduled) AS interviews_scheduled,
    round(placements / sum(placements) OVER (), 3) AS share
FROM bi.user_daily_wide AS daily
WHERE daily.day > today() - 90
GROUP BY user_id
HAVING placements > 0
ORDER BY placements DESC, interviews_scheduled DESC, user_id
LIMIT 10
