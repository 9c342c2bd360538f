-- What a node and its copy must agree about: of each table that is published, all columns that are.
-- Each query answers for each account with how many rows there are and a sum of their hashes; {of_node}
-- picks the node's rows on the replica, and %(before)s leaves out what was recorded later than a point.
-- Left out: `pulse`, which each beat and each sweep moves on, so that a copy is always a moment behind;
-- how far, the alarms tell.

-- name: journal
SELECT
    j.debit AS account, count(*), sum(hashtextextended(ROW(
        j.id, j.debit, j.credit, j.peer, j.amount, j.debit_after, j.credit_after, j.client, j.event_at,
        j.group_id, j.kind, j.channel, j.reference, j.memo
    )::text, 0))
FROM ledger.journal AS j
WHERE j.id < ledger.id_from_v1(%(before)s) AND {of_node}
GROUP BY 1

-- name: accounts
-- Left out is what each posting moves on (balance, floor, held, spent, spent_day, last_tick): the
-- replica's own checks hold it against the journal.
SELECT
    number AS account, count(*), sum(hashtextextended(ROW(
        side, running, payee_limits, usual, status, overdraft_limit, daily_limit, transfer_limit,
        currency, purpose
    )::text, 0))
FROM ledger.account
WHERE status <> 'moved' AND {of_node}
GROUP BY 1

-- name: holders
SELECT account, count(*), sum(hashtextextended(ROW(user_id, rights)::text, 0))
FROM ledger.holder
WHERE {of_node}
GROUP BY 1

-- name: payee_limits
-- Left out is what each posting moves on: spent, spent_day.
SELECT account, count(*), sum(hashtextextended(ROW(payee, daily_limit)::text, 0))
FROM ledger.payee_limit
WHERE {of_node}
GROUP BY 1

-- name: holds
SELECT
    account, count(*),
    sum(hashtextextended(ROW(
        id, payee, amount, captured, client, placed_day, placed_at, expires_at, ended_at, transfer_id,
        state, memo
    )::text, 0))
FROM ledger.hold
WHERE placed_at < %(before)s AND {of_node}
GROUP BY 1

-- name: reversals
SELECT
    NULL::bigint AS account, count(*), sum(hashtextextended(ROW(original_id, reversal_id)::text, 0))
FROM ledger.reversal
WHERE reversal_id < ledger.id_from_v1(%(before)s) AND {of_node}

-- name: references
SELECT
    NULL::bigint AS account, count(*),
    sum(hashtextextended(ROW(client, reference, transfer_id, account)::text, 0))
FROM ledger.reference
WHERE transfer_id < ledger.id_from_v1(%(before)s) AND {of_node}

-- name: account_events
SELECT
    account, count(*),
    sum(hashtextextended(ROW(id, action, client, recorded_at, reason, details)::text, 0))
FROM ledger.account_event
WHERE recorded_at < %(before)s AND {of_node}
GROUP BY 1

-- name: decisions
SELECT
    NULL::bigint AS account, count(*),
    sum(hashtextextended(ROW(id, attempt, state, destination, transfer_id, decided_at)::text, 0))
FROM ledger.decision
WHERE decided_at < %(before)s AND {of_node}

-- name: arrivals
SELECT
    NULL::bigint AS account, count(*),
    sum(hashtextextended(ROW(id, attempt, source, transfer_id, arrived_at)::text, 0))
FROM ledger.arrival
WHERE arrived_at < %(before)s AND {of_node}
