-- Who needs training? Licensed members who log less than half of what their team's median member logs (calls, InMails,
-- meetings and notes of the last 28 days), the furthest behind first.
SELECT
    team_name,
    user_id,
    logged,
    team_median
FROM (
    SELECT
        teams.team_name AS team_name,
        users.user_id AS user_id,
        sum(daily.quantity) AS logged,
        median(sum(daily.quantity)) OVER (PARTITION BY teams.team_id) AS team_median
    FROM bi.users_anonymous AS users
    INNER JOIN bi.user_teams AS teams ON teams.user_id = users.user_id
    LEFT JOIN (
        SELECT user_id, quantity
        FROM bi.user_daily
        WHERE day > today() - 28 AND metric IN ('phone_calls_logged', 'inmails_logged', 'meetings_logged', 'notes_logged')
    ) AS daily ON daily.user_id = users.user_id
    WHERE users.is_member AND users.license_status = 'live'
    GROUP BY teams.team_id, teams.team_name, users.user_id
)
WHERE logged < team_median / 2
ORDER BY logged / team_median, user_id
