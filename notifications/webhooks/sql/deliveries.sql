-- What delivering asks the database, by name.

-- name: claim
-- Take up to %(limit)s deliveries that are due, none of %(busy)s endpoints and few of each other one.
-- Whoever dies with them leaves them due again at %(until)s. Two callers never take the same.
WITH due AS (
    SELECT taken.id
    FROM notifications_endpoint AS e
    INNER JOIN accounts_user AS o ON o.id = e.owner_id AND o.is_active
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

-- name: note
-- Record an attempt. A success counts whoever brings it, a failure only of the one who took the delivery
-- last: %(next)s is when it is due again, NULL when it is given up. An endpoint that is gone, or that has
-- failed since before %(failing_before)s, is disabled, and its owner is yet to be told.
WITH endpoint AS (
    SELECT
        e.id, e.failing_since,
        CASE
            WHEN e.state <> 'enabled' OR %(is_success)s THEN NULL
            WHEN %(is_gone)s THEN 'gone'
            WHEN e.failing_since < %(failing_before)s THEN 'failing'
        END AS disabled_as
    FROM notifications_endpoint AS e
    WHERE e.id = %(endpoint)s
    FOR NO KEY UPDATE
), delivery AS (
    UPDATE notifications_delivery AS d
    SET
        state = CASE
            WHEN %(is_success)s THEN 'delivered'
            WHEN d.state = 'pending' AND d.tries = %(tries)s AND %(next)s::timestamptz IS NULL
                THEN 'failed'
            ELSE d.state
        END,
        next_attempt_at = CASE
            WHEN d.state = 'pending' AND d.tries = %(tries)s AND NOT %(is_success)s
                THEN coalesce(%(next)s, d.next_attempt_at)
            ELSE d.next_attempt_at
        END
    FROM endpoint
    WHERE d.id = %(delivery)s AND d.endpoint_id = endpoint.id
    RETURNING d.id
), attempt AS (
    INSERT INTO notifications_attempt (delivery_id, at, milliseconds, status, failure, excerpt)
    SELECT
        delivery.id, %(at)s, %(milliseconds)s, %(status)s, %(failure)s, %(excerpt)s
    FROM delivery
)
UPDATE notifications_endpoint AS e
SET
    failing_since = CASE WHEN NOT %(is_success)s THEN coalesce(e.failing_since, %(at)s) END,
    state = coalesce(endpoint.disabled_as, e.state),
    is_owner_told = e.is_owner_told AND endpoint.disabled_as IS NULL
FROM endpoint
WHERE e.id = endpoint.id
AND (endpoint.disabled_as IS NOT NULL OR %(is_success)s = (endpoint.failing_since IS NOT NULL))
