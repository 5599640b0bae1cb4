-- What did clients do last week, action by action, with names? The report that a client's account manager takes along.
-- Needs a user that sees names.
SELECT
    client_name,
    actor_name,
    actor_email,
    candidate_name,
    job_title,
    page,
    action_label,
    local_time
FROM bi.action_log
WHERE occurred_at >= toMonday(today()) - 8 AND occurred_at < toMonday(today()) + 1
    AND day >= toMonday(today()) - 7 AND day < toMonday(today())
    AND actor_type = 'client' AND NOT automated AND impersonator_id = ''
ORDER BY client_name, local_time, id
