-- What happened on a node since a tailer last came, by name. Each source is read in two statements: how
-- far a page reaches, then, once it is known who listens, what of that concerns them. So nobody misses what
-- was committed after they began to listen. Pages are bounded by LIMIT: the planner cannot tell how near
-- its end the cursor of a tail is, and would read the whole history.

-- name: journal_end
-- The last of the next %(limit)s postings that are older than every transaction in flight, and how many
-- these are.
SELECT page.xid::text AS tx, page.id, count(*) OVER () AS size
FROM (
    SELECT j.xid, j.id
    FROM ledger.journal AS j
    WHERE (j.xid, j.id) > (
        (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s),
        (SELECT t.id FROM ledger.tail AS t WHERE t.name = %(name)s)
    ) AND j.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY j.xid, j.id
    LIMIT %(limit)s
) AS page
ORDER BY page.xid DESC, page.id DESC
LIMIT 1

-- name: journal
-- The postings up to there of accounts that listeners hold, or that have ever moved: whoever held those
-- may stand in the head office's copy alone.
WITH page AS MATERIALIZED (
    SELECT j.*
    FROM ledger.journal AS j
    WHERE (j.xid, j.id) > (
        (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s),
        (SELECT t.id FROM ledger.tail AS t WHERE t.name = %(name)s)
    ) AND (j.xid, j.id) <= (%(tx)s::xid8, %(id)s)
    ORDER BY j.xid, j.id
    LIMIT %(limit)s
), held AS MATERIALIZED (
    SELECT h.account, array_agg(h.user_id) AS people
    FROM ledger.holder AS h
    WHERE h.user_id = ANY(%(listeners)s)
    GROUP BY h.account
)
SELECT
    j.id, j.debit, j.credit, j.amount,
    (SELECT a.currency FROM ledger.account AS a WHERE a.number = j.debit) AS currency,
    j.debit_after, j.credit_after, j.peer, j.kind, j.channel, j.memo, j.event_at,
    ledger.id_time_v1(j.id) AS recorded_at, r.original_id AS reverses,
    d.people AS debit_people, c.people AS credit_people,
    EXISTS (SELECT FROM ledger.moved AS m WHERE m.account = j.debit) AS debit_moved,
    EXISTS (SELECT FROM ledger.moved AS m WHERE m.account = j.credit) AS credit_moved
FROM page AS j
LEFT JOIN held AS d ON d.account = j.debit
LEFT JOIN held AS c ON c.account = j.credit
LEFT JOIN ledger.reversal AS r ON r.reversal_id = j.id AND j.kind = 'reversal'
WHERE j.kind <> 'move'
AND (
    d.account IS NOT NULL OR c.account IS NOT NULL
    OR EXISTS (SELECT FROM ledger.moved AS m WHERE m.account IN (j.debit, j.credit))
)

-- name: account_end
-- The last of the next %(limit)s changes of accounts that are older than every transaction in flight,
-- and how many these are.
SELECT
    page.xid::text AS tx, '00000000-0000-0000-0000-000000000000'::uuid AS id, count(*) OVER () AS size
FROM (
    SELECT e.xid
    FROM ledger.account_event AS e
    WHERE e.xid > (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s)
    AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.xid
    LIMIT %(limit)s
) AS page
ORDER BY page.xid DESC
LIMIT 1

-- name: account
-- The changes of status up to there, all those of its transaction included, with the listeners who hold
-- the account.
WITH page AS MATERIALIZED (
    SELECT e.*
    FROM ledger.account_event AS e
    WHERE e.xid > (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s)
    AND e.xid <= %(tx)s::xid8
    ORDER BY e.xid
    FETCH FIRST %(limit)s ROWS WITH TIES
)
SELECT
    e.id, e.account, e.recorded_at, e.details ->> 'from' AS status_before,
    e.details ->> 'to' AS status,
    ARRAY(
        SELECT h.user_id FROM ledger.holder AS h
        WHERE h.account = e.account AND h.user_id = ANY(%(listeners)s)
    ) AS people,
    EXISTS (SELECT FROM ledger.moved AS m WHERE m.account = e.account) AS has_moved
FROM page AS e
WHERE e.action = 'set_status' AND e.details ->> 'from' <> e.details ->> 'to'

-- name: hold_end
-- The last of the next %(limit)s changes of holds that are older than every transaction in flight, and how
-- many these are.
SELECT
    page.xid::text AS tx, '00000000-0000-0000-0000-000000000000'::uuid AS id, count(*) OVER () AS size
FROM (
    SELECT h.xid
    FROM ledger.hold AS h
    WHERE h.xid > (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s)
    AND h.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY h.xid
    LIMIT %(limit)s
) AS page
ORDER BY page.xid DESC
LIMIT 1

-- name: hold
-- The holds that were changed up to there, all those of its transaction included, as they are now, with the
-- listeners who hold their account. One that was changed again meanwhile comes with that change.
WITH page AS MATERIALIZED (
    SELECT h.*
    FROM ledger.hold AS h
    WHERE h.xid > (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s)
    AND h.xid <= %(tx)s::xid8
    ORDER BY h.xid
    FETCH FIRST %(limit)s ROWS WITH TIES
)
SELECT
    h.id, h.account, h.payee, h.amount, h.captured,
    (SELECT a.currency FROM ledger.account AS a WHERE a.number = h.account) AS currency,
    h.placed_at, h.expires_at, h.ended_at, h.transfer_id, h.state, h.memo,
    ARRAY(
        SELECT o.user_id FROM ledger.holder AS o
        WHERE o.account = h.account AND o.user_id = ANY(%(listeners)s)
    ) AS people,
    EXISTS (SELECT FROM ledger.moved AS m WHERE m.account = h.account) AS has_moved
FROM page AS h
