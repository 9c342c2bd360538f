-- What is in doubt on a node, and what was decided.

-- name: in_doubt
-- Others may have prepared transactions on this server too: they are none of our business.
SELECT gid
FROM pg_prepared_xacts
WHERE database = current_database()
    AND owner = current_user
    AND gid LIKE 'bank:v1:%%'
    AND prepared <= clock_timestamp() - make_interval(secs => %(seconds)s)
ORDER BY prepared

-- name: fence
SELECT ledger.fence_v1(%(id)s, %(attempt)s::smallint)

-- name: decision
SELECT state FROM ledger.decision WHERE id = %(id)s AND attempt = %(attempt)s

-- name: arrived
SELECT transfer_id FROM ledger.arrival WHERE id = %(id)s

-- name: swept
SELECT ledger.swept_v1(%(node)s)
