-- What tells that a copy is not as it should be.

-- name: copies
-- On the replica: for each node, whether its copy is whole, whether changes are applied, how long ago
-- the node was last heard of, and how often applying or copying failed so far.
SELECT
    c.node,
    c.is_whole,
    EXISTS (
        SELECT FROM pg_stat_subscription AS w
        WHERE w.subname = 'bank_' || c.node AND w.relid IS NULL AND w.pid IS NOT NULL
    ),
    extract(EPOCH FROM clock_timestamp() - c.beat_at)::float8,
    (
        SELECT coalesce(sum(s.apply_error_count + s.sync_error_count), 0)::bigint
        FROM pg_stat_subscription_stats AS s INNER JOIN pg_subscription AS o ON o.oid = s.subid
        WHERE o.subname = 'bank_' || c.node
    )
FROM ledger.source AS c

-- name: slots
-- On a node: the replica's slots of this database, and how much log is kept for them of at most how
-- much (0: any amount).
SELECT
    slot_name,
    active,
    wal_status,
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint,
    greatest((SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size'), 0)
    * 1024 * 1024
FROM pg_replication_slots
WHERE database = current_database() AND slot_name LIKE 'bank\_%' AND NOT temporary
