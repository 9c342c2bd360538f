-- Who closes days, one at a time in the whole bank. The lock is the session's.

-- name: take_turn
SELECT pg_advisory_lock(7103, 5)
