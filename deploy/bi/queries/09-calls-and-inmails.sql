-- Are calls giving way to InMails? Calls, InMails and text messages of the last twelve whole weeks, quiet ones too, and
-- the change of calls against the week before.
SELECT
    week,
    calls,
    inmails,
    text_messages,
    round((calls - calls_before) / nullIf(calls_before, 0), 3) AS change_of_calls
FROM (
    SELECT
        week,
        calls,
        inmails,
        text_messages,
        lagInFrame(calls) OVER (ORDER BY week ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS calls_before
    FROM (
        SELECT
            toMonday(day) AS week,
            sum(phone_calls_logged) AS calls,
            sum(inmails_logged) AS inmails,
            sum(sms_sent) AS text_messages
        FROM bi.user_daily_wide
        WHERE day >= toMonday(today()) - 91 AND day < toMonday(today())
        GROUP BY week
        ORDER BY week WITH FILL FROM toMonday(today()) - 91 TO toMonday(today()) STEP 7
    )
)
WHERE week >= toMonday(today()) - 84
ORDER BY week
