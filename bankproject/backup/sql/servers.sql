-- What backups ask a node's server, as bank_backup.

-- name: identity
SELECT
    system_identifier,
    (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS segment_bytes
FROM pg_control_system()

-- name: place
-- Where the log ends now, and on which of its timelines.
SELECT place::text, ('x' || left(pg_walfile_name(place), 8))::bit(32)::integer AS timeline
FROM pg_current_wal_insert_lsn() AS place

-- name: keep_log
-- From now on the server keeps what has not been received yet, as far as it has room.
SELECT pg_create_physical_replication_slot('bank_backup', true)
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'bank_backup')

-- name: forget_log
SELECT pg_drop_replication_slot('bank_backup')

-- name: slot
-- Who receives, whether the server still has what is missing, and how much that is.
SELECT
    active,
    wal_status,
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)::bigint AS behind
FROM pg_replication_slots
WHERE slot_name = 'bank_backup'

-- name: kept_from
-- From where on the server keeps its log for the backup.
SELECT coalesce(restart_lsn, pg_current_wal_insert_lsn())::text
FROM pg_replication_slots
WHERE slot_name = 'bank_backup'

-- name: history
TIMELINE_HISTORY %s

-- name: has_received
SELECT restart_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = 'bank_backup'

-- name: write_through
-- A restore point lies in the server's memory until something is committed after it.
SELECT pg_logical_emit_message(true, 'bank_backup', '')

-- name: begin_segment
-- What was written so far fills its segment, which can be sealed then.
SELECT pg_switch_wal()
