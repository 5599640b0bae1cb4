-- Which licences could be given to somebody else? Members with a live licence and no activity in the last 30 days, those
-- that were never active first.
SELECT
    users.user_id AS user_id,
    users.teams AS teams,
    activity.last_active_day AS last_active_day
FROM bi.users_anonymous AS users
LEFT JOIN (
    SELECT user_id, toNullable(max(day)) AS last_active_day
    FROM bi.user_daily
    WHERE activates_member
    GROUP BY user_id
) AS activity ON activity.user_id = users.user_id
WHERE users.is_member AND users.license_status = 'live'
    AND (activity.last_active_day IS NULL OR activity.last_active_day <= today() - 30)
ORDER BY last_active_day NULLS FIRST, user_id
