-- Are calls giving way to InMails? Calls, InMails and text messages by week over the last twelve weeks, and the change of
-- calls against the week before.
SELECT
    toMonday(day) AS week,
    sum(phone_calls_logged) AS calls,
    sum(inmails_logged) AS inmails,
    sum(sms_sent) AS text_messages,
    round((calls - lagInFrame(calls) OVER weeks) / nullIf(lagInFrame(calls) OVER weeks, 0), 3) AS change_of_calls
FROM bi.user_daily_wide
WHERE day >= toMonday(today()) - 77
GROUP BY week
WINDOW weeks AS (ORDER BY week ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
ORDER BY week
