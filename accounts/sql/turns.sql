-- Locks by which changes of the same thing take turns. Each answers at once whether it was had.

-- name: hold
SELECT pg_try_advisory_lock(%s)

-- name: hold_until_the_transaction_ends
SELECT pg_try_advisory_xact_lock(%s)

-- name: let_go
SELECT pg_advisory_unlock(%s)
