-- How an account went.

-- name: days
-- What came into a customer's account and went out of it, by the day on which it happened, from an instant
-- on, of the entries before an id. Nothing is recorded before it happens, so older ids need not be looked at.
SELECT
    leg.day, sum(leg.coming)::bigint AS coming, sum(leg.going)::bigint AS going,
    count(*) AS entries
FROM (
    SELECT (j.event_at AT TIME ZONE %(zone)s)::date AS day, j.amount AS coming, 0 AS going
    FROM ledger.journal AS j
    WHERE j.credit = %(account)s AND j.kind <> 'move' AND j.event_at >= %(since)s
        AND j.id >= ledger.id_from_v1(%(since)s) AND j.id < %(before)s::uuid
    UNION ALL
    SELECT (j.event_at AT TIME ZONE %(zone)s)::date, 0, j.amount
    FROM ledger.journal AS j
    WHERE j.debit = %(account)s AND j.kind <> 'move' AND j.event_at >= %(since)s
        AND j.id >= ledger.id_from_v1(%(since)s) AND j.id < %(before)s::uuid
) AS leg
GROUP BY leg.day
ORDER BY leg.day
