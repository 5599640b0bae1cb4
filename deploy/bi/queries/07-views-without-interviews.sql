-- Which clients look and do not schedule? Clients and jobs with at least five different profiles viewed in the last 14
-- days and no interview requested or scheduled in that time; closed jobs are left out.
SELECT
    clients.name AS client,
    jobs.title AS job,
    uniqExactIf(daily.candidate_id, daily.by_client AND daily.action = 'candidate_profile.viewed') AS profiles_viewed,
    sumIf(daily.quantity, daily.by_client AND daily.action = 'cv.downloaded') AS cv_downloads,
    max(daily.last_at) AS last_action_at
FROM bi.client_daily AS daily
LEFT JOIN bi.clients AS clients ON clients.client_id = daily.client_id
LEFT JOIN bi.jobs AS jobs ON jobs.job_id = daily.job_id
WHERE daily.day > today() - 14 AND daily.job_id != '' AND jobs.status != 'closed'
GROUP BY daily.client_id, daily.job_id, client, job
HAVING profiles_viewed >= 5 AND countIf(daily.action IN ('interview.requested', 'interview.scheduled')) = 0
ORDER BY profiles_viewed DESC, client
