-- The month's numbers of every member as a file: one row a member with a live licence or any activity of the last 30
-- days. Add `FORMAT CSVWithNames` to have it as CSV. Needs a user that sees names.
SELECT
    users.user_id AS user_id,
    users.name AS name,
    users.email AS email,
    users.teams AS teams,
    users.license_status AS license_status,
    countIf(daily.is_active) AS active_days,
    max(daily.last_activity_at) AS last_activity_at,
    sum(daily.contacts_created) AS contacts_created,
    sum(daily.notes_logged) AS notes_logged,
    sum(daily.phone_calls_logged) AS phone_calls_logged,
    sum(daily.inmails_logged) AS inmails_logged,
    sum(daily.submissions) AS submissions,
    sum(daily.placements) AS placements
FROM bi.users AS users
LEFT JOIN (SELECT * FROM bi.user_daily_wide WHERE day > today() - 30) AS daily ON daily.user_id = users.user_id
WHERE users.is_member
GROUP BY user_id, name, email, teams, license_status
HAVING license_status = 'live' OR sum(daily.events) > 0
ORDER BY user_id
