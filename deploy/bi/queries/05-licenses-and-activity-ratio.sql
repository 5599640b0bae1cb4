-- What do we pay for, and is it used? Licences, active licences and the activity ratio of each of the last 30 days.
SELECT day, total_licenses, active_licenses, active_without_license, round(activity_ratio, 3) AS activity_ratio
FROM bi.licenses_daily
WHERE day > today() - 30
ORDER BY day
