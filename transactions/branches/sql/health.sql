-- How a node is, as `manage.py nodes` shows it.

-- name: server
-- Version; prepared transactions of this database and the age of the oldest; slots for them on the
-- whole server; what slots keep of the log; and whether it is received as a backup.
SELECT
    current_setting('server_version') AS version,
    count(*) FILTER (WHERE p.database = current_database()) AS prepared,
    extract(EPOCH FROM
        clock_timestamp() - min(p.prepared) FILTER (WHERE p.database = current_database())
    )::double precision AS oldest_seconds,
    count(*) AS slots_used,
    current_setting('max_prepared_transactions')::integer AS slots_max,
    (
        SELECT coalesce(sum(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)), 0)::bigint
        FROM pg_replication_slots AS s
    ) AS retained_bytes,
    (
        SELECT s.active FROM pg_replication_slots AS s WHERE s.slot_name = 'bank_backup'
    ) AS is_received
FROM pg_prepared_xacts AS p

-- name: migrations
-- What the schema has got.
SELECT app, name FROM public.django_migrations

-- name: pulse
-- When the node last beat and was last swept.
SELECT beat_at, swept_at FROM ledger.pulse WHERE node = %s

-- name: copied
-- On the replica: how long ago the last beat of each node was that has arrived there. Not how far it is
-- behind the node's own: where nobody beats, both stand still, and so might the copy.
SELECT node, greatest(extract(EPOCH FROM clock_timestamp() - beat_at), 0)::float8 FROM ledger.pulse
