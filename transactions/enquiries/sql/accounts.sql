-- What staff see of one account.

-- name: account
-- Any account, the bank's own included, with what bounds it.
SELECT
    b.number, b.currency, b.purpose, b.status, b.balance, b.held, b.available, a.overdraft_limit,
    a.daily_limit, a.transfer_limit
FROM ledger.balance AS b
INNER JOIN ledger.account AS a ON a.number = b.number
WHERE b.number = %(number)s AND a.status <> 'moved'

-- name: balance_before
-- What an account held by all that was recorded before an instant, with the last transfer of it. A
-- running account's balance stands beside each of its transfers, a summed one's is added up.
SELECT
    last.id,
    CASE
        WHEN a.running THEN last.balance_after
        ELSE a.side * (
            coalesce((
                SELECT sum(j.amount) FROM ledger.journal AS j
                WHERE j.credit = a.number AND j.id < ledger.id_from_v1(%(at)s)
            ), 0)
            - coalesce((
                SELECT sum(j.amount) FROM ledger.journal AS j
                WHERE j.debit = a.number AND j.id < ledger.id_from_v1(%(at)s)
            ), 0)
        )::bigint
    END AS balance
FROM ledger.account AS a
INNER JOIN LATERAL (
    (
        SELECT j.id, j.debit_after AS balance_after FROM ledger.journal AS j
        WHERE j.debit = a.number AND j.id < ledger.id_from_v1(%(at)s)
        ORDER BY j.id DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT j.id, j.credit_after FROM ledger.journal AS j
        WHERE j.credit = a.number AND j.id < ledger.id_from_v1(%(at)s)
        ORDER BY j.id DESC LIMIT 1
    )
    ORDER BY id DESC LIMIT 1
) AS last ON true
WHERE a.number = %(number)s

-- name: account_events
-- All that was done to accounts apart from postings, before an instant: of one person's, little enough.
SELECT e.id, e.account, e.action, e.client, e.recorded_at, e.reason, e.details
FROM ledger.account_event AS e
WHERE e.account = ANY(%(numbers)s) AND e.recorded_at < %(until)s
