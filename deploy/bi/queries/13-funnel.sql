-- Where do candidates fall out? Submissions, interviews, offers and placements by month over the last year, whoever
-- entered them, and how many placements come of a hundred submissions.
SELECT
    toStartOfMonth(day) AS month,
    sumIf(quantity, action = 'candidate.submitted') AS submitted,
    sumIf(quantity, action = 'interview.scheduled') AS interviews,
    sumIf(quantity, action = 'offer.extended') AS offers,
    sumIf(quantity, action = 'placement.created') AS placed,
    round(100 * placed / nullIf(submitted, 0), 1) AS placed_of_100
FROM bi.client_daily
WHERE day >= toStartOfMonth(today()) - INTERVAL 11 MONTH
    AND action IN ('candidate.submitted', 'interview.scheduled', 'offer.extended', 'placement.created')
GROUP BY month
ORDER BY month
