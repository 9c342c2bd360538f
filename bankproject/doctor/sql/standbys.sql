-- What the doctor asks each server of a node that has standbys, as the role that the bank connects as.

-- name: standing
-- Whether it is a standby, of which cluster it is, its clock, whether it waits for standbys before it answers, the slots
-- of the replica that it has for good, and whether it has that of the backups.
SELECT
    pg_is_in_recovery() AS is_standby,
    (SELECT system_identifier FROM pg_control_system()) AS cluster,
    clock_timestamp() AS now,
    current_setting('synchronous_standby_names') <> '' AS waits,
    ARRAY(
        SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary ORDER BY 1
    ) AS slots,
    EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'bank_backup') AS is_backed_up
