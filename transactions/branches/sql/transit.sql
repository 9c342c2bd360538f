-- Money between nodes, seen while it moves.

-- name: prepared_from
-- The nodes from which transfers are prepared here and not settled.
SELECT DISTINCT split_part(gid, ':', 3)
FROM pg_prepared_xacts
WHERE database = current_database() AND gid LIKE 'bank:v1:%'
