-- What members did, by day: the daily rollup, and the quarter hours for tenants whose zone has changed and whose daily
-- rollup holds days of another zone still; so no day of another zone is in it, and none twice.
CREATE OR REPLACE VIEW bi.catalogue
(
    action           String COMMENT 'The action: <object>.<verb>',
    label            String COMMENT 'The action in words',
    metric           String COMMENT 'The key under which reports show the sum of the action''s quantity',
    activates_member Bool COMMENT 'Whether the action makes a member count as active',
    activates_client Bool COMMENT 'Whether the action makes a client''s user count as active'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row an action that Tidemark knows'
AS SELECT
    known.1 AS action,
    known.2 AS label,
    known.3 AS metric,
    known.4 AS activates_member,
    known.5 AS activates_client
FROM (
    SELECT arrayJoin([
        ('user.logged_in', 'Logged in', 'logins', false, false),
        ('page.viewed', 'Page viewed', 'page_views', false, false),
        ('search.performed', 'Search performed', 'searches', false, true),
        ('job.posted', 'Job posted', 'jobs_posted', true, true),
        ('job.updated', 'Job updated', 'jobs_updated', true, true),
        ('job.closed', 'Job closed', 'jobs_closed', true, true),
        ('candidate_profile.viewed', 'Candidate profile viewed', 'profile_views', false, true),
        ('candidate_contact.revealed', 'Candidate contact details revealed', 'contact_reveals', false, true),
        ('cv.downloaded', 'CV downloaded', 'cv_downloads', false, true),
        ('candidate.shortlisted', 'Candidate shortlisted', 'shortlists', true, true),
        ('candidate.shared', 'Candidate shared', 'candidates_shared', true, true),
        ('candidate.submitted', 'Candidate submitted', 'submissions', true, false),
        ('candidate.stage_moved', 'Candidate moved to another stage', 'stage_moves', true, true),
        ('candidate.rejected', 'Candidate rejected', 'rejections', true, true),
        ('candidate.applied', 'Candidate applied', 'applications', false, false),
        ('interview.requested', 'Interview requested', 'interview_requests', true, true),
        ('interview.scheduled', 'Interview scheduled', 'interviews_scheduled', true, true),
        ('interview.cancelled', 'Interview cancelled', 'interviews_cancelled', true, true),
        ('interview.completed', 'Interview completed', 'interviews_completed', true, true),
        ('scorecard.submitted', 'Scorecard submitted', 'scorecards', true, true),
        ('offer.extended', 'Offer extended', 'offers_extended', true, true),
        ('offer.accepted', 'Offer accepted', 'offers_accepted', true, true),
        ('placement.created', 'Placement created', 'placements', true, true),
        ('contact.created', 'Contact created', 'contacts_created', true, false),
        ('contact.updated', 'Contact updated', 'contacts_updated', true, false),
        ('contact.added_to_pool', 'Contact added to a talent pool', 'pool_adds', true, false),
        ('contact.added_to_vacancy', 'Contact added to a vacancy', 'vacancy_adds', true, false),
        ('note.logged', 'Note logged', 'notes_logged', true, true),
        ('inmail.logged', 'InMail logged', 'inmails_logged', true, false),
        ('direct_message.sent', 'Direct message sent', 'direct_messages_sent', true, true),
        ('phone_call.logged', 'Phone call logged', 'phone_calls_logged', true, false),
        ('sms.sent', 'SMS sent', 'sms_sent', true, false),
        ('meeting.logged', 'Meeting logged', 'meetings_logged', true, false),
        ('email.logged', 'E-mail logged', 'emails_logged', true, false),
        ('task.created', 'Task created', 'tasks_created', true, false),
        ('task.completed', 'Task completed', 'tasks_completed', true, false),
        ('campaign.created', 'Campaign created', 'campaigns_created', true, false),
        ('campaign.sent', 'Campaign sent', 'campaigns_sent', true, false),
        ('referral.made', 'Referral made', 'referrals', true, true)
    ]) AS known
);

CREATE OR REPLACE VIEW bi.tenants_between_zones
(
    tenant String COMMENT 'The tenant'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'Tenants whose daily rollup holds rows of another time zone than their present one'
AS SELECT DISTINCT
    tenant AS tenant
FROM tidemark.user_activity_daily
WHERE (tenant, zone) NOT IN (SELECT tenant, time_zone FROM bi.tenants)
    -- A tenant that the directory does not know reports in UTC.
    AND NOT (zone = 'UTC' AND tenant NOT IN (SELECT tenant FROM bi.tenants));

CREATE OR REPLACE VIEW bi.user_daily
(
    tenant           String COMMENT 'The tenant',
    day              Date COMMENT 'The calendar day in the tenant''s time zone',
    user_id          String COMMENT 'The member who acted',
    action           String COMMENT 'What was done: <object>.<verb> of the catalogue',
    action_label     String COMMENT 'The action in words',
    metric           String COMMENT 'The metric of the action, the key that reports use',
    activates_member Bool COMMENT 'Whether the action makes a member count as active',
    quantity         Int64 COMMENT 'The metric''s value: sum of the events'' quantity',
    events           Int64 COMMENT 'Number of events',
    last_at          DateTime64(3, 'UTC') COMMENT 'The latest time of them, in UTC'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a member, day and action. Of the directory''s members alone; automated and impersonated actions are not in it'
AS SELECT
    activity.tenant AS tenant,
    activity.day AS day,
    activity.user_id AS user_id,
    activity.action AS action,
    catalogue.label AS action_label,
    catalogue.metric AS metric,
    catalogue.activates_member AS activates_member,
    activity.quantity AS quantity,
    activity.events AS events,
    activity.last_at AS last_at
FROM (
    SELECT tenant, day, user_id, action, quantity, events, last_at
    FROM tidemark.user_activity_daily FINAL
    WHERE events > 0 AND tenant NOT IN (SELECT tenant FROM bi.tenants_between_zones)
    UNION ALL
    SELECT
        quarters.tenant AS tenant,
        -- toDate(quarter, zone) is refused with a zone that varies by row, and toTimeZone takes the first for all.
        toDate(toString(quarters.quarter, if(tenants.time_zone = '', 'UTC', tenants.time_zone))) AS day,
        quarters.user_id AS user_id,
        quarters.action AS action,
        sum(quarters.quantity) AS quantity,
        sum(quarters.events) AS events,
        max(quarters.last_at) AS last_at
    FROM (
        SELECT tenant, quarter, user_id, action, quantity, events, last_at
        FROM tidemark.user_activity_15m FINAL
        WHERE events > 0 AND tenant IN (SELECT tenant FROM bi.tenants_between_zones)
    ) AS quarters
    LEFT JOIN bi.tenants AS tenants ON tenants.tenant = quarters.tenant
    GROUP BY tenant, day, user_id, action
) AS activity
INNER JOIN bi.catalogue AS catalogue ON catalogue.action = activity.action
WHERE (activity.tenant, activity.user_id) IN (SELECT tenant, user_id FROM bi.members);

CREATE OR REPLACE VIEW bi.user_licenses_daily
(
    tenant  String COMMENT 'The tenant',
    day     Date COMMENT 'The calendar day in the tenant''s time zone, up to today',
    user_id String COMMENT 'The member',
    status  String COMMENT 'The licence at the day''s last instant, of today now: live, disabled or deleted',
    is_live Bool COMMENT 'Whether that is live'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a member and day from the member''s first licence event on'
AS SELECT
    tenant AS tenant,
    toDate(arrayJoin(range(toUInt16(first_day), toUInt16(next_day)))) AS day,
    user_id AS user_id,
    if(verb IN ('assigned', 'enabled'), 'live', verb) AS status,
    verb IN ('assigned', 'enabled') AS is_live
FROM (
    SELECT
        tenant,
        user_id,
        first_day,
        verb,
        leadInFrame(first_day, 1, today + 1) OVER (
            PARTITION BY tenant, user_id ORDER BY first_day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS next_day
    FROM (
        SELECT
            licenses.tenant AS tenant,
            licenses.user_id AS user_id,
            if(tenants.time_zone = '', 'UTC', tenants.time_zone) AS zone,
            toDate(toString(licenses.time, zone)) AS first_day,
            toDate(toString(now64(3), zone)) AS today,
            toString(argMax(licenses.verb, (licenses.time, licenses.event_id))) AS verb
        FROM tidemark.directory_license_events AS licenses
        LEFT JOIN bi.tenants AS tenants ON tenants.tenant = licenses.tenant
        WHERE licenses.time <= now64(3)
        GROUP BY tenant, user_id, zone, first_day, today
    )
)
WHERE (tenant, user_id) IN (SELECT tenant, user_id FROM bi.members);

CREATE OR REPLACE VIEW bi.licenses_daily
(
    tenant                 String COMMENT 'The tenant',
    day                    Date COMMENT 'The calendar day in the tenant''s time zone',
    total_licenses         UInt64 COMMENT 'Members whose licence is live at the day''s last instant, of today now',
    disabled_licenses      UInt64 COMMENT 'Members whose licence is disabled then',
    deleted_licenses       UInt64 COMMENT 'Members whose licence is deleted then',
    active_users           UInt64 COMMENT 'Members with at least one action of the day that makes a member active',
    active_licenses        UInt64 COMMENT 'Those of them whose licence is live',
    active_without_license UInt64 COMMENT 'Those of them whose licence is not',
    activity_ratio         Nullable(Float64) COMMENT 'active_licenses / total_licenses, 0 to 1; NULL when there is no licence'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a day with a licence or an activity: the KPIs of the summary for that day'
AS SELECT
    tenant AS tenant,
    day AS day,
    countIf(status = 'live') AS total_licenses,
    countIf(status = 'disabled') AS disabled_licenses,
    countIf(status = 'deleted') AS deleted_licenses,
    countIf(active) AS active_users,
    countIf(active AND status = 'live') AS active_licenses,
    countIf(active AND status != 'live') AS active_without_license,
    if(total_licenses = 0, NULL, active_licenses / total_licenses) AS activity_ratio
FROM (
    SELECT tenant, day, user_id, max(status) AS status, max(active) AS active
    FROM (
        SELECT tenant, day, user_id, status, false AS active FROM bi.user_licenses_daily
        UNION ALL
        SELECT tenant, day, user_id, '' AS status, true AS active FROM bi.user_daily WHERE activates_member
    )
    GROUP BY tenant, day, user_id
)
GROUP BY tenant, day;

CREATE OR REPLACE VIEW bi.user_daily_wide
(
    tenant           String COMMENT 'The tenant',
    day              Date COMMENT 'The calendar day in the tenant''s time zone',
    user_id          String COMMENT 'The member who acted',
    is_active        Bool COMMENT 'Whether an action of the day makes the member count as active',
    last_activity_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The latest time of such an action, in UTC; NULL when there is none',
    events           Int64 COMMENT 'Number of events, whatever the action',
    logins Int64 COMMENT 'Logged in: sum of the quantity of the day''s events',
    page_views Int64 COMMENT 'Page viewed: sum of the quantity of the day''s events',
    searches Int64 COMMENT 'Search performed: sum of the quantity of the day''s events',
    jobs_posted Int64 COMMENT 'Job posted: sum of the quantity of the day''s events',
    jobs_updated Int64 COMMENT 'Job updated: sum of the quantity of the day''s events',
    jobs_closed Int64 COMMENT 'Job closed: sum of the quantity of the day''s events',
    profile_views Int64 COMMENT 'Candidate profile viewed: sum of the quantity of the day''s events',
    contact_reveals Int64 COMMENT 'Candidate contact details revealed: sum of the quantity of the day''s events',
    cv_downloads Int64 COMMENT 'CV downloaded: sum of the quantity of the day''s events',
    shortlists Int64 COMMENT 'Candidate shortlisted: sum of the quantity of the day''s events',
    candidates_shared Int64 COMMENT 'Candidate shared: sum of the quantity of the day''s events',
    submissions Int64 COMMENT 'Candidate submitted: sum of the quantity of the day''s events',
    stage_moves Int64 COMMENT 'Candidate moved to another stage: sum of the quantity of the day''s events',
    rejections Int64 COMMENT 'Candidate rejected: sum of the quantity of the day''s events',
    applications Int64 COMMENT 'Candidate applied: sum of the quantity of the day''s events',
    interview_requests Int64 COMMENT 'Interview requested: sum of the quantity of the day''s events',
    interviews_scheduled Int64 COMMENT 'Interview scheduled: sum of the quantity of the day''s events',
    interviews_cancelled Int64 COMMENT 'Interview cancelled: sum of the quantity of the day''s events',
    interviews_completed Int64 COMMENT 'Interview completed: sum of the quantity of the day''s events',
    scorecards Int64 COMMENT 'Scorecard submitted: sum of the quantity of the day''s events',
    offers_extended Int64 COMMENT 'Offer extended: sum of the quantity of the day''s events',
    offers_accepted Int64 COMMENT 'Offer accepted: sum of the quantity of the day''s events',
    placements Int64 COMMENT 'Placement created: sum of the quantity of the day''s events',
    contacts_created Int64 COMMENT 'Contact created: sum of the quantity of the day''s events',
    contacts_updated Int64 COMMENT 'Contact updated: sum of the quantity of the day''s events',
    pool_adds Int64 COMMENT 'Contact added to a talent pool: sum of the quantity of the day''s events',
    vacancy_adds Int64 COMMENT 'Contact added to a vacancy: sum of the quantity of the day''s events',
    notes_logged Int64 COMMENT 'Note logged: sum of the quantity of the day''s events',
    inmails_logged Int64 COMMENT 'InMail logged: sum of the quantity of the day''s events',
    direct_messages_sent Int64 COMMENT 'Direct message sent: sum of the quantity of the day''s events',
    phone_calls_logged Int64 COMMENT 'Phone call logged: sum of the quantity of the day''s events',
    sms_sent Int64 COMMENT 'SMS sent: sum of the quantity of the day''s events',
    meetings_logged Int64 COMMENT 'Meeting logged: sum of the quantity of the day''s events',
    emails_logged Int64 COMMENT 'E-mail logged: sum of the quantity of the day''s events',
    tasks_created Int64 COMMENT 'Task created: sum of the quantity of the day''s events',
    tasks_completed Int64 COMMENT 'Task completed: sum of the quantity of the day''s events',
    campaigns_created Int64 COMMENT 'Campaign created: sum of the quantity of the day''s events',
    campaigns_sent Int64 COMMENT 'Campaign sent: sum of the quantity of the day''s events',
    referrals Int64 COMMENT 'Referral made: sum of the quantity of the day''s events'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a member and day with at least one event: bi.user_daily with a column a metric'
AS SELECT
    tenant AS tenant,
    day AS day,
    user_id AS user_id,
    max(activates_member) AS is_active,
    if(max(activates_member), maxIf(last_at, activates_member), NULL) AS last_activity_at,
    sum(events) AS events,
    sumIf(quantity, metric = 'logins') AS logins,
    sumIf(quantity, metric = 'page_views') AS page_views,
    sumIf(quantity, metric = 'searches') AS searches,
    sumIf(quantity, metric = 'jobs_posted') AS jobs_posted,
    sumIf(quantity, metric = 'jobs_updated') AS jobs_updated,
    sumIf(quantity, metric = 'jobs_closed') AS jobs_closed,
    sumIf(quantity, metric = 'profile_views') AS profile_views,
    sumIf(quantity, metric = 'contact_reveals') AS contact_reveals,
    sumIf(quantity, metric = 'cv_downloads') AS cv_downloads,
    sumIf(quantity, metric = 'shortlists') AS shortlists,
    sumIf(quantity, metric = 'candidates_shared') AS candidates_shared,
    sumIf(quantity, metric = 'submissions') AS submissions,
    sumIf(quantity, metric = 'stage_moves') AS stage_moves,
    sumIf(quantity, metric = 'rejections') AS rejections,
    sumIf(quantity, metric = 'applications') AS applications,
    sumIf(quantity, metric = 'interview_requests') AS interview_requests,
    sumIf(quantity, metric = 'interviews_scheduled') AS interviews_scheduled,
    sumIf(quantity, metric = 'interviews_cancelled') AS interviews_cancelled,
    sumIf(quantity, metric = 'interviews_completed') AS interviews_completed,
    sumIf(quantity, metric = 'scorecards') AS scorecards,
    sumIf(quantity, metric = 'offers_extended') AS offers_extended,
    sumIf(quantity, metric = 'offers_accepted') AS offers_accepted,
    sumIf(quantity, metric = 'placements') AS placements,
    sumIf(quantity, metric = 'contacts_created') AS contacts_created,
    sumIf(quantity, metric = 'contacts_updated') AS contacts_updated,
    sumIf(quantity, metric = 'pool_adds') AS pool_adds,
    sumIf(quantity, metric = 'vacancy_adds') AS vacancy_adds,
    sumIf(quantity, metric = 'notes_logged') AS notes_logged,
    sumIf(quantity, metric = 'inmails_logged') AS inmails_logged,
    sumIf(quantity, metric = 'direct_messages_sent') AS direct_messages_sent,
    sumIf(quantity, metric = 'phone_calls_logged') AS phone_calls_logged,
    sumIf(quantity, metric = 'sms_sent') AS sms_sent,
    sumIf(quantity, metric = 'meetings_logged') AS meetings_logged,
    sumIf(quantity, metric = 'emails_logged') AS emails_logged,
    sumIf(quantity, metric = 'tasks_created') AS tasks_created,
    sumIf(quantity, metric = 'tasks_completed') AS tasks_completed,
    sumIf(quantity, metric = 'campaigns_created') AS campaigns_created,
    sumIf(quantity, metric = 'campaigns_sent') AS campaigns_sent,
    sumIf(quantity, metric = 'referrals') AS referrals
FROM bi.user_daily
GROUP BY tenant, day, user_id;
