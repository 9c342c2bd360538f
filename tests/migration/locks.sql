-- name: tables
-- The ledger's tables, and partitions under their parent's name: in which file each is, how often this
-- session has read it from end to end, and whether its transaction keeps writers out.
SELECT
    c.oid,
    c.oid::regclass::text AS name,
    coalesce(i.inhparent, c.oid)::regclass::text AS "table",
    pg_relation_filenode(c.oid) AS file,
    coalesce(s.seq_scan, 0) AS readings,
    EXISTS (
        SELECT FROM pg_locks AS l
        WHERE l.pid = pg_backend_pid() AND l.relation = c.oid AND l.granted
            AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    ) AS is_locked
FROM pg_class AS c
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
LEFT JOIN pg_stat_xact_all_tables AS s ON s.relid = c.oid
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p');
