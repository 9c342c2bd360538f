-- What a node's ledger adds up to.

-- name: volumes
-- Transfers booked since a month began, and of those since a day began, by currency. What arrives from
-- another node was counted where it left; what moves with an account is none.
SELECT
    a.currency,
    count(*) FILTER (WHERE j.id >= ledger.id_from_v1(%(day)s)) AS of_day,
    coalesce(sum(j.amount) FILTER (WHERE j.id >= ledger.id_from_v1(%(day)s)), 0) AS minor_of_day,
    count(*) AS of_month,
    sum(j.amount) AS minor_of_month
FROM ledger.journal AS j
INNER JOIN ledger.account AS a ON a.number = j.debit
WHERE j.id >= ledger.id_from_v1(%(month)s) AND a.purpose <> 'clearing' AND j.kind <> 'move'
GROUP BY a.currency
ORDER BY a.currency
