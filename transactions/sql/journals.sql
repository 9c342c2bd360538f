-- How a node's journal stands, for whoever watches the bank.

-- name: journal
-- The rows of the journal since the server's statistics began, and for how long the oldest posting after
-- the cursor of the tailer waits to be told of.
SELECT
    (
        SELECT coalesce(sum(s.n_tup_ins), 0)::bigint
        FROM pg_stat_user_tables AS s
        JOIN pg_inherits AS i ON i.inhrelid = s.relid
        WHERE i.inhparent = 'ledger.journal'::regclass
    ) AS postings,
    coalesce((
        SELECT extract(epoch FROM clock_timestamp() - ledger.id_time_v1(j.id))::float8
        FROM ledger.journal AS j, ledger.tail AS t
        WHERE t.name = 'webhooks' AND (j.xid, j.id) > (t.xid, t.id)
        ORDER BY j.xid, j.id
        LIMIT 1
    ), 0) AS untold_seconds
