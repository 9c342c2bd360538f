-- What loans owe. A loan has two accounts of the bank's assets: one of what was lent and is not repaid,
-- one of the interest, fees and penalties that were charged and are not paid.

-- name: owed
-- What is owed on accounts of loans, by what it is for. None of it can be reversed.
SELECT account, kind, sum(change)::bigint AS minor
FROM ledger.entry
WHERE account = ANY(%(accounts)s::bigint[])
GROUP BY account, kind;

-- name: balances_of_loans
SELECT number, balance
FROM ledger.account
WHERE number = ANY(%(accounts)s::bigint[]) AND status <> 'moved';

-- name: balances_before
-- What was owed on accounts by all that happened before each of some instants.
SELECT a.number, instant.until, (a.balance - coalesce(sum(e.change), 0))::bigint AS balance
FROM ledger.account AS a
CROSS JOIN unnest(%(untils)s::timestamptz[]) AS instant (until)
LEFT JOIN ledger.entry AS e ON e.account = a.number AND e.event_at >= instant.until
WHERE a.number = ANY(%(accounts)s::bigint[]) AND a.status <> 'moved'
GROUP BY a.number, instant.until;

-- name: loans_in_the_books
-- What loans owe here, by account: for the head office to compare.
SELECT number, balance
FROM ledger.account
WHERE purpose IN ('loan', 'loan_dues') AND status <> 'moved' AND balance <> 0;
