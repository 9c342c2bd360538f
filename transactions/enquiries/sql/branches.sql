-- What staff see of a whole branch. Accounts are those that it opened: their numbers begin with its own.

-- name: sums
-- What customers' accounts of one kind hold, by currency.
SELECT a.currency, count(*) AS accounts, sum(a.balance)::bigint AS balance
FROM ledger.account AS a
WHERE a.number = ANY(%(numbers)s) AND a.status <> 'moved'
GROUP BY a.currency

-- name: cash
-- The branch's cash, place by place.
SELECT b.number, b.purpose, b.currency, b.balance
FROM ledger.balance AS b
WHERE b.purpose IN ('vault', 'till', 'machine') AND b.number / 1000000000 = %(branch)s
    AND b.status <> 'moved'
ORDER BY b.currency, b.number

-- name: transfers
-- What has moved on accounts of the branch since an instant, by kind and currency; of a transfer between
-- nodes the payer's side counts for both.
SELECT
    j.kind, d.currency, count(*) AS transfers, sum(j.amount)::bigint AS amount
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.kind <> 'move'
    AND (j.peer IS NULL OR d.purpose <> 'clearing')
    AND %(branch)s IN (j.debit / 1000000000, coalesce(j.peer, j.credit) / 1000000000)
GROUP BY j.kind, d.currency
