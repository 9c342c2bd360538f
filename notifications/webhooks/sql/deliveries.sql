-- What delivering asks the database, by name.

-- name: claim
-- Take up to %(limit)s deliveries that are due, none of %(busy)s endpoints and few of each other one.
-- Whoever dies with them leaves them due again at %(until)s. Two callers never take the same.
WITH due AS (
    SELECT taken.id
    FROM notifications_endpoint AS e
    CROSS JOIN LATERAL (
        SELECT d.id, d.next_attempt_at
        FROM notifications_delivery AS d
        WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= %(now)s
        ORDER BY d.next_attempt_at
        LIMIT %(of_each)s
        FOR UPDATE SKIP LOCKED
    ) AS taken
    WHERE e.state = 'enabled' AND e.id <> ALL(%(busy)s::uuid [])
    ORDER BY taken.next_attempt_at
    LIMIT %(limit)s
), claimed AS (
    UPDATE notifications_delivery AS d
    SET tries = d.tries + 1, next_attempt_at = %(until)s
    FROM due
    WHERE d.id = due.id
    RETURNING d.id, d.event_id, d.endpoint_id, d.tries
)
SELECT
    c.id, c.endpoint_id, c.tries, e.url, e.secret,
    CASE WHEN e.former_secret_until > %(now)s THEN e.former_secret END AS former_secret,
    v.id AS event_id, v.type, v.occurred_at, v.data
FROM claimed AS c
INNER JOIN notifications_endpoint AS e ON e.id = c.endpoint_id
INNER JOIN notifications_event AS v ON v.id = c.event_id
