-- What the queue of jobs asks the database, by name.

-- name: claim
-- Take the job of %(queue)s that is due longest. Whoever dies with it leaves it due again at %(until)s. Two
-- callers never take the same.
WITH due AS (
    SELECT j.id
    FROM core_job AS j
    WHERE j.queue = %(queue)s AND j.state IN ('queued', 'running') AND j.next_attempt_at <= %(now)s
    ORDER BY j.next_attempt_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE core_job AS j
SET state = 'running', tries = j.tries + 1, begun_at = %(now)s, next_attempt_at = %(until)s
FROM due
WHERE j.id = due.id
RETURNING j.id, j.name, j.key, j.arguments, j.tries

-- name: go_on
-- Note how far a job has come, and keep it for longer; no row: somebody else has taken it.
UPDATE core_job
SET done = %(done)s, total = %(total)s, next_attempt_at = %(until)s
WHERE id = %(id)s AND state = 'running' AND tries = %(tries)s
RETURNING id

-- name: end
-- Note that a job is done, whoever did it.
UPDATE core_job
SET state = 'done', ended_at = %(now)s, failure = '', done = coalesce(total, done)
WHERE id = %(id)s

-- name: fail
-- Note a failure of whoever took the job last: %(next)s is when it is tried again, NULL never.
UPDATE core_job
SET
    state = CASE WHEN %(next)s::timestamptz IS NULL THEN 'dead' ELSE 'queued' END,
    next_attempt_at = coalesce(%(next)s, next_attempt_at),
    ended_at = CASE WHEN %(next)s::timestamptz IS NULL THEN %(now)s::timestamptz END,
    failure = %(failure)s
WHERE id = %(id)s AND state = 'running' AND tries = %(tries)s
