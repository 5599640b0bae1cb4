-- What was done about clients, for BI tools: by candidate, and as the columns of the client-engagement report. A
-- condition on a day that is computed for every row of the rollup would read and compute them all; joined to the few
-- quarter hours of its days it leaves out the others before anything else is done. The rows of a key sum up to what it
-- is, and one that was corrected away has none, so the rollup needs no FINAL.
CREATE OR REPLACE VIEW bi.client_quarters
(
    tenant  String COMMENT 'The tenant',
    quarter UInt32 COMMENT 'The first instant of a UTC quarter hour in which something was done about a client, in seconds since 1970',
    day     Date COMMENT 'The calendar day in the tenant''s time zone to which it belongs'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a UTC quarter hour in which something was done about a client of the tenant'
AS SELECT
    quarters.tenant AS tenant,
    toUnixTimestamp(quarters.quarter) AS quarter,
    toDate(toString(quarters.quarter, if(tenants.time_zone = '', 'UTC', tenants.time_zone))) AS day
FROM (SELECT DISTINCT tenant, quarter FROM tidemark.client_activity_15m) AS quarters
LEFT JOIN bi.tenants AS tenants ON tenants.tenant = quarters.tenant;

CREATE OR REPLACE VIEW bi.client_daily
(
    tenant       String COMMENT 'The tenant',
    day          Date COMMENT 'The calendar day in the tenant''s time zone',
    client_id    String COMMENT 'The client concerned',
    job_id       String COMMENT 'The job concerned; empty when there is none',
    candidate_id String COMMENT 'The candidate concerned; empty when there is none',
    action       String COMMENT 'What was done: <object>.<verb> of the catalogue',
    by_client    Bool COMMENT 'Whether a user of a client acted, of this one or another, not somebody else',
    quantity     Int64 COMMENT 'Sum of the events'' quantity',
    events       Int64 COMMENT 'Number of events',
    first_at     DateTime64(3, 'UTC') COMMENT 'The earliest time of them, in UTC',
    last_at      DateTime64(3, 'UTC') COMMENT 'The latest time of them, in UTC'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a day, client, job, candidate, action and side. Whoever acted; actions that name neither a job nor a candidate are not in it, nor automated and impersonated ones'
AS SELECT
    quarters.tenant AS tenant,
    days.day AS day,
    quarters.client_id AS client_id,
    quarters.job_id AS job_id,
    quarters.candidate_id AS candidate_id,
    quarters.action AS action,
    quarters.by_client AS by_client,
    sum(quarters.quantity) AS quantity,
    sum(quarters.events) AS events,
    min(quarters.first_at) AS first_at,
    max(quarters.last_at) AS last_at
FROM tidemark.client_activity_15m AS quarters
INNER JOIN bi.client_quarters AS days ON days.tenant = quarters.tenant AND days.quarter = toUnixTimestamp(quarters.quarter)
GROUP BY tenant, day, client_id, job_id, candidate_id, action, by_client
HAVING events > 0;

CREATE OR REPLACE VIEW bi.client_engagement_daily
(
    tenant                 String COMMENT 'The tenant',
    day                    Date COMMENT 'The calendar day in the tenant''s time zone',
    client_id              String COMMENT 'The client',
    client_name            String COMMENT 'What the client is called; empty when unknown',
    job_id                 String COMMENT 'The job',
    job_title              String COMMENT 'The job''s title; empty when unknown',
    job_status             String COMMENT 'open or closed; empty when unknown',
    profile_views          Int64 COMMENT 'Candidates'' profiles viewed by clients'' users',
    unique_profiles_viewed UInt64 COMMENT 'Different candidates among them on this day; over several days count candidates of bi.client_daily',
    cv_downloads           Int64 COMMENT 'CVs downloaded by clients'' users',
    interviews_scheduled   Int64 COMMENT 'Interviews scheduled, by whomever',
    stage_number           UInt8 COMMENT 'How far the day went: 0 to 6, the place of stage among the stages',
    stage                  String COMMENT 'none, job_posted, profile_viewed, cv_downloaded, interview_scheduled, offer_extended or placement_created: the furthest of the day, by whomever',
    last_action_at         DateTime64(3, 'UTC') COMMENT 'The latest action of the day, in UTC'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a day, client and job about which anything was done: the client-engagement report for that day'
AS SELECT
    activity.tenant AS tenant,
    activity.day AS day,
    activity.client_id AS client_id,
    clients.name AS client_name,
    activity.job_id AS job_id,
    jobs.title AS job_title,
    jobs.status AS job_status,
    activity.profile_views AS profile_views,
    activity.unique_profiles_viewed AS unique_profiles_viewed,
    activity.cv_downloads AS cv_downloads,
    activity.interviews_scheduled AS interviews_scheduled,
    activity.stage_number AS stage_number,
    ['none', 'job_posted', 'profile_viewed', 'cv_downloaded', 'interview_scheduled', 'offer_extended', 'placement_created'][activity.stage_number + 1] AS stage,
    activity.last_action_at AS last_action_at
FROM (
    SELECT
        quarters.tenant AS tenant,
        days.day AS day,
        quarters.client_id AS client_id,
        quarters.job_id AS job_id,
        sumIf(quarters.quantity, by_client AND action = 'candidate_profile.viewed') AS profile_views,
        uniqExactIf(quarters.candidate_id, by_client AND action = 'candidate_profile.viewed') AS unique_profiles_viewed,
        sumIf(quarters.quantity, by_client AND action = 'cv.downloaded') AS cv_downloads,
        sumIf(quarters.quantity, action = 'interview.scheduled') AS interviews_scheduled,
        toUInt8(max(transform(
            action,
            ['job.posted', 'candidate_profile.viewed', 'cv.downloaded', 'interview.scheduled', 'offer.extended', 'placement.created'],
            [1, 2, 3, 4, 5, 6],
            0
        ))) AS stage_number,
        max(quarters.last_at) AS last_action_at
    FROM tidemark.client_activity_15m AS quarters
    INNER JOIN bi.client_quarters AS days ON days.tenant = quarters.tenant AND days.quarter = toUnixTimestamp(quarters.quarter)
    WHERE quarters.job_id != ''
    GROUP BY tenant, day, client_id, job_id
    HAVING sum(quarters.events) > 0
) AS activity
LEFT JOIN bi.clients AS clients ON clients.tenant = activity.tenant AND clients.client_id = activity.client_id
LEFT JOIN bi.jobs AS jobs ON jobs.tenant = activity.tenant AND jobs.job_id = activity.job_id;
