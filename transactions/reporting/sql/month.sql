-- What a month was like, on one ledger: that of a node, or the replica's of all of them. What is counted
-- ends before an instant, so that it never changes, whenever it is asked.

-- name: heard
-- On a replica: since when at least every node of the list has been heard of; NULL: one's copy is not whole.
SELECT CASE
    WHEN count(*) FILTER (WHERE is_whole AND beat_at IS NOT NULL) = cardinality(%(nodes)s::text[])
        THEN min(beat_at)
END
FROM ledger.source
WHERE node = ANY(%(nodes)s)

-- name: volumes
-- Transfers by the payer's branch, channel and currency. What arrives from another node was counted where
-- it left; what moves with an account is none.
SELECT
    j.debit / 1000000000 AS branch, j.channel, d.currency, count(*) AS transfers,
    sum(j.amount)::bigint AS amount
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
    AND j.kind <> 'move' AND d.purpose <> 'clearing'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3

-- name: balances
-- What customers have and what lies in cash at an instant, by the branch that opened the account: what is
-- there now, without what has moved since.
SELECT
    b.number / 1000000000 AS branch, b.currency,
    coalesce(sum(b.balance - coalesce(l.change, 0)) FILTER (WHERE b.purpose = 'customer'), 0)::bigint,
    coalesce(sum(b.balance - coalesce(l.change, 0)) FILTER (WHERE b.purpose <> 'customer'), 0)::bigint
FROM ledger.balance AS b
LEFT JOIN (
    SELECT leg.account, sum(leg.change)::bigint AS change
    FROM (
        SELECT j.debit AS account, - a.side * j.amount AS change
        FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.debit
        WHERE j.id >= ledger.id_from_v1(%(until)s)
        UNION ALL
        SELECT j.credit, a.side * j.amount
        FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.credit
        WHERE j.id >= ledger.id_from_v1(%(until)s)
    ) AS leg
    GROUP BY leg.account
) AS l ON l.account = b.number
WHERE b.purpose IN ('customer', 'vault', 'till', 'machine')
GROUP BY 1, 2
ORDER BY 1, 2

-- name: largest
-- The largest transfers of each currency, of each the first in time where several are equal.
SELECT currency, amount, id, debit, credit, kind, channel, recorded_at
FROM (
    SELECT
        d.currency, j.amount::bigint AS amount, j.id, j.debit, coalesce(j.peer, j.credit) AS credit, j.kind,
        j.channel, ledger.id_time_v1(j.id) AS recorded_at,
        row_number() OVER (PARTITION BY d.currency ORDER BY j.amount DESC, j.id) AS place
    FROM ledger.journal AS j
    INNER JOIN ledger.account AS d ON d.number = j.debit
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
        AND j.kind <> 'move' AND d.purpose <> 'clearing'
) AS one
WHERE place <= %(most)s
ORDER BY currency, place

-- name: in_transit
-- What had left for another node before an instant and not arrived there, by currency: what the clearing
-- accounts between nodes add up to. Zero, when nothing was on its way.
SELECT b.currency, sum(b.balance - coalesce(l.change, 0))::bigint AS amount
FROM ledger.balance AS b
LEFT JOIN (
    SELECT leg.account, sum(leg.change)::bigint AS change
    FROM (
        SELECT j.debit AS account, - a.side * j.amount AS change
        FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.debit
        WHERE j.id >= ledger.id_from_v1(%(until)s)
        UNION ALL
        SELECT j.credit, a.side * j.amount
        FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.credit
        WHERE j.id >= ledger.id_from_v1(%(until)s)
    ) AS leg
    GROUP BY leg.account
) AS l ON l.account = b.number
WHERE b.purpose = 'clearing' AND b.number / 10 %% 10000 >= 1000
GROUP BY b.currency
ORDER BY b.currency
