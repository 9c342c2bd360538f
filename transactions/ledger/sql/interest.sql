-- Queries about what customers' accounts earn. The functions are in accruals.sql.

-- name: postings_under_way
-- Who is at a posting on this node, by transaction; and whether the instant `until` is past here. Who
-- comes later records later.
SELECT
    clock_timestamp() >= %(until)s::timestamptz AS is_past,
    array_agg(DISTINCT l.virtualtransaction) FILTER (WHERE l.relation IS NOT NULL) AS at_work
FROM (SELECT) AS one
LEFT JOIN pg_locks AS l
    ON l.locktype = 'relation' AND l.relation = 'ledger.account'::regclass
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.mode IN ('RowShareLock', 'RowExclusiveLock')
    AND l.pid IS DISTINCT FROM pg_backend_pid();

-- name: handed_over
-- The moves of accounts that left this node between two instants, and where to.
SELECT d.id, d.destination
FROM ledger.journal AS j
INNER JOIN ledger.decision AS d ON d.transfer_id = j.id
WHERE j.kind = 'move' AND d.state = 'committed'
    AND j.id >= ledger.id_from_v1(%(since)s::timestamptz)
    AND j.id < ledger.id_from_v1(%(until)s::timestamptz);

-- name: accrue
SELECT ledger.accrue_v1(
    %(day)s::date, %(until)s::timestamptz, %(accounts)s::bigint[], %(rates)s::integer[], %(late)s::uuid[]
);

-- name: accruals_of
-- What an account has earned here on some days. Days are named one by one: the key begins with them.
SELECT c.day, c.account, c.balance, c.rate_ppm
FROM ledger.accrual AS c
WHERE c.day = ANY(%(days)s::date[]) AND c.account = %(account)s;

-- name: accruals_left_behind
-- What accounts that have moved away earned here in a month.
SELECT c.day, c.account, c.balance, c.rate_ppm
FROM ledger.accrual AS c
INNER JOIN ledger.account AS a ON a.number = c.account
WHERE c.day BETWEEN %(first)s::date AND %(last)s::date AND a.status = 'moved';

-- name: keep_accruals
SELECT ledger.keep_accruals_v1(
    %(days)s::date[], %(accounts)s::bigint[], %(balances)s::bigint[], %(rates)s::integer[]
);

-- name: interest_due
-- The next accounts that live here and have earned in a month what is not posted yet, by the reference
-- that each posting has: `prefix` and the account. With `only`, of these alone.
SELECT a.number, a.currency, ledger.interest_v1(sum(c.balance::numeric * c.rate_ppm)) AS minor
FROM ledger.accrual AS c
INNER JOIN ledger.account AS a ON a.number = c.account
WHERE c.day BETWEEN %(first)s::date AND %(last)s::date
    AND c.account > %(after)s
    AND (%(only)s::bigint[] IS NULL OR c.account = ANY(%(only)s::bigint[]))
    AND a.status NOT IN ('moved', 'closed')
    AND NOT EXISTS (
        SELECT FROM ledger.reference AS r
        WHERE r.client = 0 AND r.reference = %(prefix)s::text || a.number
    )
GROUP BY a.number, a.currency
HAVING ledger.interest_v1(sum(c.balance::numeric * c.rate_ppm)) > 0
ORDER BY a.number
LIMIT %(limit)s;

-- name: posted_under
-- What the bank posted here by references that begin with `prefix`, by currency; what came along with
-- accounts was posted elsewhere.
SELECT a.currency, count(*) AS postings, sum(j.amount)::bigint AS minor
FROM ledger.reference AS r
INNER JOIN ledger.journal AS j ON j.id = r.transfer_id
INNER JOIN ledger.account AS a ON a.number = j.debit
WHERE r.client = 0 AND r.account IS NULL AND starts_with(r.reference, %(prefix)s::text)
GROUP BY a.currency;

-- name: close_account
SELECT ledger.close_account_v1(
    %(client)s, %(key)s, %(number)s, %(reason)s, %(payout)s::bigint, %(payout_memo)s, %(expense)s,
    %(until)s::timestamptz, %(months)s::date[], %(references)s::text[], %(memos)s::text[],
    %(event_at)s::timestamptz[]
);
