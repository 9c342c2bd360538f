-- Marks to which all nodes can be restored. Asked as bank_backup.

-- name: restore_point
-- Write a restore point into the node's log; where it is, and on which of the log's timelines.
SELECT place::text, ('x' || left(pg_walfile_name(place), 8))::bit(32)::integer AS timeline
FROM pg_create_restore_point(%s) AS place
