-- What is done by people and what by programs? Actions of the last 28 days by channel: how many, by how many actors, and
-- the share that was automated.
SELECT
    if(channel = '', 'unknown', channel) AS channel_name,
    count() AS actions,
    uniqExact(actor_id) AS actors,
    round(countIf(automated) / actions, 3) AS automated_share
FROM bi.action_log_anonymous
WHERE occurred_at > now() - INTERVAL 28 DAY
GROUP BY channel_name
ORDER BY actions DESC, channel_name
