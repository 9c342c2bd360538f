-- What a person has asked to be paid, in one go: both tables are small, the ways to them are not.

-- name: upcoming
SELECT
    false AS is_repeated, debit, credit, amount, currency, memo, not_before,
    NULL AS frequency, false AS month_end, NULL AS weekend, NULL::date AS first_date,
    NULL::date AS last_date, NULL::date AS next_date, NULL::date AS pay_date
FROM transactions_scheduledtransfer
WHERE user_id = %(user)s AND state IN ('waiting', 'sending')
UNION ALL
SELECT
    true, debit, credit, amount, currency, memo, NULL,
    frequency, month_end, weekend, first_date,
    last_date, next_date, pay_date
FROM transactions_standingorder
WHERE user_id = %(user)s AND state = 'active' AND pay_date <= %(until)s
