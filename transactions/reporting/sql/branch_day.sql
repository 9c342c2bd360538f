-- What a day was like at a branch. Accounts are those that it opened: their numbers begin with its own.

-- name: movements
-- What has moved on accounts of the branch, by kind, channel and currency; of a transfer between nodes the
-- payer's side counts for both.
SELECT
    j.kind, j.channel, d.currency, count(*) AS transfers, sum(j.amount)::bigint AS amount
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
    AND j.kind <> 'move' AND (j.peer IS NULL OR d.purpose <> 'clearing')
    AND %(branch)s IN (j.debit / 1000000000, coalesce(j.peer, j.credit) / 1000000000)
GROUP BY j.kind, j.channel, d.currency

-- name: customers
-- What came to its customers' accounts and left them, by currency.
SELECT
    a.currency, count(DISTINCT leg.account) AS accounts, sum(leg.coming)::bigint AS coming,
    sum(leg.going)::bigint AS going
FROM (
    SELECT j.credit AS account, j.amount AS coming, 0 AS going, j.id, j.kind
    FROM ledger.journal AS j
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
    UNION ALL
    SELECT j.debit, 0, j.amount, j.id, j.kind
    FROM ledger.journal AS j
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
) AS leg
INNER JOIN ledger.account AS a ON a.number = leg.account
WHERE leg.kind <> 'move' AND a.purpose = 'customer' AND a.number / 1000000000 = %(branch)s
GROUP BY a.currency

-- name: cash
-- What lay in each place of its cash when the day began and when it ended: what is there now, without what
-- has moved since.
SELECT
    b.number, b.purpose, b.currency,
    (b.balance - coalesce(l.since_day, 0))::bigint AS opening,
    (b.balance - coalesce(l.after_day, 0))::bigint AS closing
FROM ledger.balance AS b
LEFT JOIN (
    SELECT
        leg.account, sum(leg.change)::bigint AS since_day,
        sum(leg.change) FILTER (WHERE leg.id >= ledger.id_from_v1(%(until)s))::bigint AS after_day
    FROM (
        SELECT j.id, j.debit AS account, - a.side * j.amount AS change
        FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.debit
        WHERE j.id >= ledger.id_from_v1(%(since)s) AND a.purpose IN ('vault', 'till', 'machine')
        UNION ALL
        SELECT j.id, j.credit, a.side * j.amount
        FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.credit
        WHERE j.id >= ledger.id_from_v1(%(since)s) AND a.purpose IN ('vault', 'till', 'machine')
    ) AS leg
    GROUP BY leg.account
) AS l ON l.account = b.number
WHERE b.purpose IN ('vault', 'till', 'machine') AND b.number / 1000000000 = %(branch)s
    AND b.status <> 'moved'
ORDER BY b.currency, b.number
