-- How do the teams compare? Members, how many were active last week (Monday to Sunday), and calls, meetings and
-- submissions for each active member. A member of two teams counts in both.
SELECT
    teams.team_id AS team_id,
    teams.team_name AS team,
    uniqExact(teams.user_id) AS members,
    uniqExactIf(teams.user_id, week.is_active) AS active_members,
    sum(week.phone_calls_logged) AS calls,
    sum(week.meetings_logged) AS meetings,
    sum(week.submissions) AS submissions,
    if(active_members = 0, NULL, round(calls / active_members, 1)) AS calls_per_active_member
FROM bi.user_teams AS teams
INNER JOIN bi.users_anonymous AS users ON users.user_id = teams.user_id
LEFT JOIN (
    SELECT user_id, is_active, phone_calls_logged, meetings_logged, submissions
    FROM bi.user_daily_wide
    WHERE day >= toMonday(today()) - 7 AND day < toMonday(today())
) AS week ON week.user_id = teams.user_id
WHERE users.is_member
GROUP BY team_id, team
ORDER BY team, team_id
