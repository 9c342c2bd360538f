-- What sending messages asks the database, by name.

-- name: claim
-- Take up to %(limit)s messages of %(channel)s that are due, those first that are not about a movement: of
-- these there may be thousands. Whoever dies with them leaves them due again at
-- %(until)s; that they were taken before and nothing was heard of them is noted then. Two callers never
-- take the same.
WITH due AS (
    SELECT m.id, m.is_taken AS was_taken
    FROM notifications_message AS m
    WHERE m.channel = %(channel)s AND m.state = 'waiting' AND m.next_attempt_at <= %(now)s
    ORDER BY m.kind IN ('money_in', 'money_out', 'low_balance'), m.next_attempt_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), interrupted AS (
    INSERT INTO notifications_messageattempt (message_id, at, milliseconds, failure, detail)
    SELECT due.id, %(now)s, 0, 'interrupted', ''
    FROM due
    WHERE due.was_taken
)
UPDATE notifications_message AS m
SET is_taken = true, tries = m.tries + 1, next_attempt_at = %(until)s
FROM due
WHERE m.id = due.id
RETURNING m.*, due.was_taken

-- name: note
-- Record an attempt. A success counts whoever brings it, a failure only of the one who took the message
-- last: %(next)s is when it is due again, NULL when it is given up.
WITH attempt AS (
    INSERT INTO notifications_messageattempt (message_id, at, milliseconds, failure, detail)
    VALUES (%(id)s, %(at)s, %(milliseconds)s, %(failure)s, %(detail)s)
)
UPDATE notifications_message
SET
    is_taken = false,
    state = CASE
        WHEN %(is_sent)s THEN 'sent'
        WHEN %(next)s::timestamptz IS NULL THEN 'dead'
        ELSE state
    END,
    sent_at = CASE WHEN %(is_sent)s THEN %(at)s ELSE sent_at END,
    next_attempt_at = coalesce(%(next)s, next_attempt_at)
WHERE id = %(id)s AND state <> 'sent' AND (%(is_sent)s OR (tries = %(tries)s AND state = 'waiting'))

-- name: is_silent
-- Whether the last attempts by a channel since %(since)s, %(count)s at least, all found nobody there.
SELECT count(*) = %(count)s AND bool_and(last.failure IN ('unreachable', 'no_answer'))
FROM (
    SELECT a.failure
    FROM notifications_messageattempt AS a
    INNER JOIN notifications_message AS m ON m.id = a.message_id
    WHERE m.channel = %(channel)s AND a.at > %(since)s
    ORDER BY a.id DESC
    LIMIT %(count)s
) AS last
