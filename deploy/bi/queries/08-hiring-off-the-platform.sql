-- Who may be hiring off the platform? Clients that revealed a candidate's contact or downloaded the CV, while the contract
-- binds them from then on, after which nothing was heard of the two for 14 days: no interview, no offer, no placement. A
-- sign to check, not proof. It is the signal off_platform_risk of the API, but for a tenant that set other days than 14.
SELECT
    clients.name AS client,
    daily.candidate_id AS candidate_id,
    minIf(daily.first_at, daily.by_client AND daily.action IN ('candidate_contact.revealed', 'cv.downloaded')) AS since,
    max(daily.last_at) AS last_action_at
FROM bi.client_daily AS daily
LEFT JOIN bi.clients AS clients ON clients.client_id = daily.client_id
LEFT JOIN bi.tenants AS tenants ON tenants.tenant = daily.tenant
WHERE daily.candidate_id != ''
GROUP BY daily.client_id, daily.candidate_id, client, tenants.contract_months
HAVING countIf(daily.by_client AND daily.action IN ('candidate_contact.revealed', 'cv.downloaded')) > 0
    AND countIf(daily.action IN (
        'interview.requested', 'interview.scheduled', 'interview.cancelled', 'interview.completed', 'offer.extended',
        'offer.accepted', 'placement.created'
    )) = 0
    AND last_action_at <= now64(3) - INTERVAL 14 DAY
    -- A tenant without a contract's length in the directory has one of a year.
    AND addMonths(since, if(tenants.contract_months = 0, 12, tenants.contract_months)) > now64(3)
ORDER BY since, client
