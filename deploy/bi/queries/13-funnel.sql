-- Where do candidates fall out? Submissions, interviews, offers and placements by month over the last year, and how many
-- placements come of a hundred submissions.
SELECT
    toStartOfMonth(day) AS month,
    sum(submissions) AS submitted,
    sum(interviews_scheduled) AS interviews,
    sum(offers_extended) AS offers,
    sum(placements) AS placed,
    round(100 * placed / nullIf(submitted, 0), 1) AS placed_of_100
FROM bi.user_daily_wide
WHERE day >= toStartOfMonth(today()) - INTERVAL 11 MONTH
GROUP BY month
ORDER BY month
