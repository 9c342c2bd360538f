-- The operation log: postings and what was done to accounts, in one order of time.
--
-- `journal_node` and `event_node` are filled in by whoever asks: on a node they are its alias, on the
-- replica the column that tells where a row came from.

-- name: operations
-- The newest operations before a cursor, newest first; `before_at` is just after its time. Every condition that is NULL is left out. The
-- id of an event is made as a transfer's, of its time; its number makes it unique.
SELECT
    o.id, o.recorded_at, o.node, o.what, o.channel, o.account, o.counterparty, o.amount, o.currency,
    o.client, o.words, o.event_at, o.details
FROM (
    (
        SELECT
            j.id, ledger.id_time_v1(j.id) AS recorded_at, {journal_node} AS node, j.kind AS what,
            j.channel, j.debit AS account, coalesce(j.peer, j.credit) AS counterparty, j.amount,
            coalesce(a.currency, b.currency) AS currency, j.client, j.memo AS words, j.event_at,
            NULL::jsonb AS details
        FROM ledger.journal AS j
        LEFT JOIN ledger.account AS a ON a.number = j.debit
        LEFT JOIN ledger.account AS b ON b.number = j.credit
        WHERE j.id >= ledger.id_from_v1(%(since)s)
            AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
            AND (%(account)s::bigint IS NULL OR j.debit = %(account)s OR j.credit = %(account)s)
            AND (%(node)s::text IS NULL OR {journal_node} = %(node)s)
            AND (%(what)s::text IS NULL OR j.kind = %(what)s)
            AND (%(channel)s::text IS NULL OR j.channel = %(channel)s)
        ORDER BY j.id DESC
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT
            n.id, e.recorded_at, {event_node} AS node, e.action, NULL, e.account, NULL, NULL, NULL,
            e.client, e.reason, NULL, e.details
        FROM ledger.account_event AS e
        CROSS JOIN LATERAL (
            SELECT ledger.id_v1(
                (extract(EPOCH FROM e.recorded_at) * 4096000)::bigint, e.id | ~9223372036854775807
            ) AS id
        ) AS n
        WHERE e.recorded_at >= %(since)s AND e.recorded_at < least(%(until)s, %(before_at)s)
            AND n.id < %(before)s::uuid
            AND (%(account)s::bigint IS NULL OR e.account = %(account)s)
            AND (%(node)s::text IS NULL OR {event_node} = %(node)s)
            AND (%(what)s::text IS NULL OR e.action = %(what)s)
            AND %(channel)s::text IS NULL AND NOT %(postings_only)s::boolean
        ORDER BY e.recorded_at DESC, e.id DESC
        LIMIT %(limit)s
    )
) AS o
ORDER BY o.id DESC
LIMIT %(limit)s
