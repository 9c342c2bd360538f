-- What is in doubt on a node, and what was decided. Sent as plain messages, some two at once.

-- name: swept
SELECT ledger.swept_v1(%s)

-- name: in_doubt
-- Others may have prepared transactions on this server too: they are none of our business.
SELECT string_agg(gid, ' ' ORDER BY prepared)
FROM pg_prepared_xacts
WHERE database = current_database()
    AND owner = current_user
    AND gid LIKE 'bank:v1:%%'
    AND prepared <= clock_timestamp() - make_interval(secs => %s)

-- name: fence
SELECT set_config('lock_timeout', '500ms', true), ledger.fence_v1(%s, %s::smallint)

-- name: lasting
-- Makes the end of this transaction wait for the standbys: what it read outlives this server then. Without,
-- a decision could be read here that goes with the server, when its standby takes over.
SELECT pg_logical_emit_message(true, 'bank', 'asked')

-- name: decision
SELECT state FROM ledger.decision WHERE id = %s AND attempt = %s

-- name: committed
COMMIT PREPARED %s

-- name: aborted
ROLLBACK PREPARED %s

-- name: arrived
SELECT transfer_id FROM ledger.arrival WHERE id = %s AND attempt = %s

-- name: sent
-- The crossing that a transfer, or a batch by its first one, is the payer's side of.
SELECT id, attempt, destination FROM ledger.decision WHERE transfer_id = %s AND state = 'committed'
