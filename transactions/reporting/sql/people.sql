-- Who moved how much in a period.

-- name: accounts
-- Of each customer's account that moved: how often, what came in and what went out, and when last. What moves
-- with an account is no movement of its owners.
SELECT
    leg.account, a.currency, count(*) AS movements, sum(leg.coming)::bigint AS coming,
    sum(leg.going)::bigint AS going, max(ledger.id_time_v1(leg.id)) AS last_at
FROM (
    SELECT j.id, j.credit AS account, j.amount AS coming, 0 AS going
    FROM ledger.journal AS j
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
        AND j.kind <> 'move'
    UNION ALL
    SELECT j.id, j.debit, 0, j.amount
    FROM ledger.journal AS j
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
        AND j.kind <> 'move'
) AS leg
INNER JOIN ledger.account AS a ON a.number = leg.account
WHERE a.purpose = 'customer'
GROUP BY leg.account, a.currency

-- name: owners
-- Who owns each account of a list.
SELECT h.account_id, u.number, u.full_name
FROM accounts_holding AS h
INNER JOIN accounts_user AS u ON u.id = h.user_id
WHERE h.rights = 'owner' AND h.account_id = ANY(%(accounts)s)
