-- Who may be hiring off the platform? Clients that revealed a candidate's contact or downloaded the CV within the last
-- 12 months, after which nothing was heard of the two for 14 days: no interview, no offer, no placement. A sign to check,
-- not proof.
SELECT
    clients.name AS client,
    daily.candidate_id AS candidate_id,
    minIf(daily.first_at, daily.by_client AND daily.action IN ('candidate_contact.revealed', 'cv.downloaded')) AS since,
    max(daily.last_at) AS last_action_at
FROM bi.client_daily AS daily
LEFT JOIN bi.clients AS clients ON clients.client_id = daily.client_id
WHERE daily.day > today() - 365 AND daily.candidate_id != ''
GROUP BY daily.client_id, daily.candidate_id, client
HAVING countIf(daily.by_client AND daily.action IN ('candidate_contact.revealed', 'cv.downloaded')) > 0
    AND countIf(daily.action IN (
        'interview.requested', 'interview.scheduled', 'interview.completed', 'offer.extended', 'offer.accepted',
        'placement.created'
    )) = 0
    AND last_action_at < now() - INTERVAL 14 DAY
ORDER BY since, client
