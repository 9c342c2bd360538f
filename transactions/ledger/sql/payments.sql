-- What pages show before money is sent. Amounts in minor units.

-- name: limits_held_by
-- What the accounts on which a person holds rights may spend, and what they have spent on a day.
SELECT
    a.number, a.currency, a.status, a.overdraft_limit, a.daily_limit, a.transfer_limit,
    CASE WHEN a.spent_day < %(day)s THEN 0 ELSE a.spent END AS spent
FROM ledger.holder AS h
INNER JOIN ledger.account AS a ON a.number = h.account
WHERE h.user_id = %(user)s AND a.purpose = 'customer'

-- name: last_paid
-- When accounts last paid others, as far as the newest payments of each tell: (payee, transfer).
SELECT DISTINCT ON (paid.payee) paid.payee, paid.id
FROM unnest(%(accounts)s::bigint[]) AS mine (number)
CROSS JOIN LATERAL (
    SELECT coalesce(j.peer, j.credit) AS payee, j.id
    FROM ledger.journal AS j
    WHERE j.debit = mine.number AND j.kind <> 'move'
    ORDER BY j.id DESC
    LIMIT %(newest)s
) AS paid
WHERE paid.payee = ANY(%(payees)s::bigint[])
ORDER BY paid.payee, paid.id DESC

-- name: sent_alike
-- The transfers of an amount from accounts to another since an instant, newest first.
SELECT sent.id
FROM unnest(%(accounts)s::bigint[]) AS mine (number)
CROSS JOIN LATERAL (
    SELECT j.id
    FROM ledger.journal AS j
    WHERE j.debit = mine.number AND j.kind = 'transfer'
        AND j.id >= ledger.id_from_v1(%(since)s)
        AND j.amount = %(amount)s AND coalesce(j.peer, j.credit) = %(payee)s
        AND NOT EXISTS (SELECT FROM ledger.reversal AS r WHERE r.original_id = j.id)
    ORDER BY j.id DESC
    LIMIT %(most)s
) AS sent
ORDER BY sent.id DESC
LIMIT %(most)s
