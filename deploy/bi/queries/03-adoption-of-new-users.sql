-- Do new users adopt the product? By the week in which a member's licence began: how many, and how many of them were
-- active within their first seven days and within the last seven.
SELECT
    toMonday(began.first_day) AS week,
    count() AS new_licenses,
    countIf(active.first_week > 0) AS active_in_first_week,
    countIf(active.last_week > 0) AS active_now,
    round(active_in_first_week / new_licenses, 3) AS adoption
FROM (
    SELECT user_id, min(day) AS first_day FROM bi.user_licenses_daily GROUP BY user_id
) AS began
LEFT JOIN (
    SELECT
        licenses.user_id AS user_id,
        countIf(daily.day < licenses.first_day + 7) AS first_week,
        countIf(daily.day > today() - 7) AS last_week
    FROM (SELECT user_id, min(day) AS first_day FROM bi.user_licenses_daily GROUP BY user_id) AS licenses
    INNER JOIN bi.user_daily AS daily ON daily.user_id = licenses.user_id
    WHERE daily.activates_member AND daily.day >= licenses.first_day
    GROUP BY user_id
) AS active ON active.user_id = began.user_id
WHERE began.first_day > today() - 90
GROUP BY week
ORDER BY week
