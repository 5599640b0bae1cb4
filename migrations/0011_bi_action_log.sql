-- The action log for BI tools, and how fresh it is.
CREATE OR REPLACE VIEW bi.action_log_anonymous
(
    tenant          String COMMENT 'The tenant',
    id              String COMMENT 'The event''s id',
    occurred_at     DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC. Filter by it: the log is kept by time',
    day             Date COMMENT 'The calendar day in the tenant''s time zone',
    local_time      String COMMENT 'The wall clock in the tenant''s time zone, YYYY-MM-DD hh:mm:ss.mmm',
    action          String COMMENT 'What was done: <object>.<verb> of the catalogue',
    action_label    String COMMENT 'The action in words',
    actor_id        String COMMENT 'Who acted: a user, or a candidate when actor_type is candidate',
    actor_type      String COMMENT 'member, client, candidate, service or system',
    impersonator_id String COMMENT 'The real person behind an impersonated action; empty when there is none',
    automated       Bool COMMENT 'Whether a program acted, not a person',
    counts          Bool COMMENT 'Whether it is in the numbers about users: of a member, neither automated nor impersonated',
    quantity        UInt32 COMMENT 'How many things a bulk action touched',
    client_id       String COMMENT 'The client concerned; empty when there is none',
    candidate_id    String COMMENT 'The candidate concerned; empty when there is none',
    contact_id      String COMMENT 'The contact concerned; empty when there is none',
    job_id          String COMMENT 'The job concerned; empty when there is none',
    page            String COMMENT 'The page of the application; empty when unknown',
    channel         String COMMENT 'web, mobile, extension, api, email_sync, import or automation; empty when unknown',
    source          String COMMENT 'The application that sent the event',
    received_at     DateTime64(3, 'UTC') COMMENT 'When Tidemark received it, in UTC'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row an action, automated and impersonated ones included; ids, no names, no free properties'
AS SELECT
    actions.tenant AS tenant,
    actions.id AS id,
    actions.time AS occurred_at,
    if(
        actions.zone = if(tenants.time_zone = '', 'UTC', tenants.time_zone),
        actions.local_day,
        toDate(toString(actions.time, if(tenants.time_zone = '', 'UTC', tenants.time_zone)))
    ) AS day,
    toString(actions.time, if(tenants.time_zone = '', 'UTC', tenants.time_zone)) AS local_time,
    actions.type AS action,
    if(catalogue.label = '', actions.type, catalogue.label) AS action_label,
    actions.actor_id AS actor_id,
    actions.actor_type AS actor_type,
    actions.impersonator_id AS impersonator_id,
    actions.automated AS automated,
    actions.actor_type = 'member' AND NOT actions.automated AND actions.impersonator_id = ''
        AND (actions.tenant, actions.actor_id) IN (SELECT tenant, user_id FROM bi.members) AS counts,
    actions.quantity AS quantity,
    actions.client_id AS client_id,
    actions.candidate_id AS candidate_id,
    actions.contact_id AS contact_id,
    actions.job_id AS job_id,
    actions.page AS page,
    actions.channel AS channel,
    actions.source AS source,
    actions.received_at AS received_at
FROM tidemark.actions AS actions
LEFT JOIN bi.tenants AS tenants ON tenants.tenant = actions.tenant
LEFT JOIN bi.catalogue AS catalogue ON catalogue.action = actions.type;

CREATE OR REPLACE VIEW bi.action_log
(
    tenant          String COMMENT 'The tenant',
    id              String COMMENT 'The event''s id',
    occurred_at     DateTime64(3, 'UTC') COMMENT 'When it happened, in UTC. Filter by it: the log is kept by time',
    day             Date COMMENT 'The calendar day in the tenant''s time zone',
    local_time      String COMMENT 'The wall clock in the tenant''s time zone, YYYY-MM-DD hh:mm:ss.mmm',
    action          String COMMENT 'What was done: <object>.<verb> of the catalogue',
    action_label    String COMMENT 'The action in words',
    actor_id        String COMMENT 'Who acted: a user, or a candidate when actor_type is candidate',
    actor_type      String COMMENT 'member, client, candidate, service or system',
    actor_name      Nullable(String) COMMENT 'Personal: the actor''s name as the directory has it now; NULL when unknown or erased',
    actor_email     Nullable(String) COMMENT 'Personal: the actor''s e-mail address as the directory has it now; NULL when unknown or erased',
    impersonator_id String COMMENT 'The real person behind an impersonated action; empty when there is none',
    automated       Bool COMMENT 'Whether a program acted, not a person',
    counts          Bool COMMENT 'Whether it is in the numbers about users: of a member, neither automated nor impersonated',
    quantity        UInt32 COMMENT 'How many things a bulk action touched',
    client_id       String COMMENT 'The client concerned; empty when there is none',
    client_name     String COMMENT 'What the client is called; empty when unknown',
    candidate_id    String COMMENT 'The candidate concerned; empty when there is none',
    candidate_name  Nullable(String) COMMENT 'Personal: the candidate''s name as the directory has it now; NULL when unknown or erased',
    candidate_email Nullable(String) COMMENT 'Personal: the candidate''s e-mail address as the directory has it now; NULL when unknown or erased',
    contact_id      String COMMENT 'The contact concerned; empty when there is none',
    job_id          String COMMENT 'The job concerned; empty when there is none',
    job_title       String COMMENT 'The job''s title; empty when unknown',
    page            String COMMENT 'The page of the application; empty when unknown',
    channel         String COMMENT 'web, mobile, extension, api, email_sync, import or automation; empty when unknown',
    source          String COMMENT 'The application that sent the event',
    session_id      String COMMENT 'The session; empty when unknown',
    correlation_id  String COMMENT 'The producer''s correlation id; empty when there is none',
    properties      String COMMENT 'Personal, perhaps: further properties as the producer sent them, a JSON object; empty when there are none',
    received_at     DateTime64(3, 'UTC') COMMENT 'When Tidemark received it, in UTC'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row an action, automated and impersonated ones included, with the names that the directory has now'
AS SELECT
    actions.tenant AS tenant,
    actions.id AS id,
    actions.time AS occurred_at,
    if(
        actions.zone = if(tenants.time_zone = '', 'UTC', tenants.time_zone),
        actions.local_day,
        toDate(toString(actions.time, if(tenants.time_zone = '', 'UTC', tenants.time_zone)))
    ) AS day,
    toString(actions.time, if(tenants.time_zone = '', 'UTC', tenants.time_zone)) AS local_time,
    actions.type AS action,
    if(catalogue.label = '', actions.type, catalogue.label) AS action_label,
    actions.actor_id AS actor_id,
    actions.actor_type AS actor_type,
    if(actions.actor_type = 'candidate', applicants.name, users.name) AS actor_name,
    if(actions.actor_type = 'candidate', applicants.email, users.email) AS actor_email,
    actions.impersonator_id AS impersonator_id,
    actions.automated AS automated,
    actions.actor_type = 'member' AND NOT actions.automated AND actions.impersonator_id = ''
        AND (actions.tenant, actions.actor_id) IN (SELECT tenant, user_id FROM bi.members) AS counts,
    actions.quantity AS quantity,
    actions.client_id AS client_id,
    clients.name AS client_name,
    actions.candidate_id AS candidate_id,
    candidates.name AS candidate_name,
    candidates.email AS candidate_email,
    actions.contact_id AS contact_id,
    actions.job_id AS job_id,
    jobs.title AS job_title,
    actions.page AS page,
    actions.channel AS channel,
    actions.source AS source,
    actions.session_id AS session_id,
    actions.correlation_id AS correlation_id,
    actions.properties AS properties,
    actions.received_at AS received_at
FROM tidemark.actions AS actions
LEFT JOIN bi.tenants AS tenants ON tenants.tenant = actions.tenant
LEFT JOIN bi.catalogue AS catalogue ON catalogue.action = actions.type
LEFT JOIN bi.users AS users ON users.tenant = actions.tenant AND users.user_id = actions.actor_id
LEFT JOIN bi.candidates AS applicants
    ON applicants.tenant = actions.tenant AND applicants.candidate_id = actions.actor_id
LEFT JOIN bi.clients AS clients ON clients.tenant = actions.tenant AND clients.client_id = actions.client_id
LEFT JOIN bi.candidates AS candidates
    ON candidates.tenant = actions.tenant AND candidates.candidate_id = actions.candidate_id
LEFT JOIN bi.jobs AS jobs ON jobs.tenant = actions.tenant AND jobs.job_id = actions.job_id;

-- What was received of late may have happened in any month, so none is left out: of a tenant's rows two short columns are
-- read, and those alone that are asked for.
CREATE OR REPLACE VIEW bi.freshness
(
    tenant           String COMMENT 'The tenant',
    last_received_at DateTime64(3, 'UTC') COMMENT 'When Tidemark received the newest action that is stored, in UTC',
    last_occurred_at DateTime64(3, 'UTC') COMMENT 'When the latest stored action happened, in UTC',
    last_hour        UInt64 COMMENT 'Actions received within the last hour, whenever they happened',
    last_day         UInt64 COMMENT 'Actions received within the last 24 hours, whenever they happened'
)
DEFINER = tidemark_bi SQL SECURITY DEFINER
COMMENT 'One row a tenant with a stored action: how far its log reaches. Old times may mean that nothing happened'
AS SELECT
    tenant AS tenant,
    max(received_at) AS last_received_at,
    max(time) AS last_occurred_at,
    countIf(received_at > now64(3) - INTERVAL 1 HOUR) AS last_hour,
    countIf(received_at > now64(3) - INTERVAL 24 HOUR) AS last_day
FROM tidemark.actions
GROUP BY tenant;
