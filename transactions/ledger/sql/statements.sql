-- What customers read of their accounts' histories: pages, totals, days and months. Amounts in minor
-- units. Conditions and indexes as for entries; an account's moves are left out as there.

-- name: entries_after
-- A page of an account's entries, oldest first, after one of them: what is newer than a page.
SELECT
    leg.id, leg.sign * a.side * leg.amount AS change, leg.balance_after,
    CASE WHEN a.purpose <> 'clearing' THEN coalesce(leg.peer, leg.other) ELSE leg.other END
    AS counterparty,
    leg.kind, leg.channel, leg.memo, leg.reference, leg.event_at,
    ledger.id_time_v1(leg.id) AS recorded_at, leg.group_id, a.currency
FROM (
    (
        SELECT
            j.id, -1 AS sign, j.debit_after AS balance_after, j.credit AS other, j.peer, j.amount,
            j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id
        FROM ledger.journal AS j
        WHERE j.debit = %(account)s AND j.kind <> 'move'
            AND %(direction)s::text IS DISTINCT FROM 'in'
            AND j.id >= ledger.id_from_v1(%(since)s)
            AND j.id > %(after)s::uuid
            AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
            AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
            AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
            AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
            AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
            AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
            AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
        ORDER BY j.id
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT
            j.id, 1, j.credit_after, j.debit, j.peer, j.amount,
            j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id
        FROM ledger.journal AS j
        WHERE j.credit = %(account)s AND j.kind <> 'move'
            AND %(direction)s::text IS DISTINCT FROM 'out'
            AND j.id >= ledger.id_from_v1(%(since)s)
            AND j.id > %(after)s::uuid
            AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
            AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
            AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
            AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
            AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
            AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
            AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
        ORDER BY j.id
        LIMIT %(limit)s
    )
) AS leg
INNER JOIN ledger.account AS a ON a.number = %(account)s
ORDER BY leg.id
LIMIT %(limit)s

-- name: entry_totals
-- What the wanted entries of a customer's account add up to, before a cursor, and the account's last
-- entries before the range and in it: the balances after them are those at both ends.
SELECT
    coming.entries AS entries_in, coming.amount AS amount_in,
    going.entries AS entries_out, going.amount AS amount_out,
    opening.id AS opening_id, opening.balance_after AS opening,
    closing.id AS closing_id, closing.balance_after AS closing
FROM (
    SELECT
        ledger.id_from_v1(%(since)s) AS first,
        least(ledger.id_from_v1(%(until)s), %(before)s::uuid) AS beyond
) AS bound
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, coalesce(sum(j.amount), 0)::bigint AS amount
    FROM ledger.journal AS j
    WHERE j.credit = %(account)s AND j.kind <> 'move'
        AND %(direction)s::text IS DISTINCT FROM 'out'
        AND j.id >= bound.first AND j.id < bound.beyond
        AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
        AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
        AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
        AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
        AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
        AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
) AS coming
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, coalesce(sum(j.amount), 0)::bigint AS amount
    FROM ledger.journal AS j
    WHERE j.debit = %(account)s AND j.kind <> 'move'
        AND %(direction)s::text IS DISTINCT FROM 'in'
        AND j.id >= bound.first AND j.id < bound.beyond
        AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
        AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
        AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
        AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
        AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
        AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
) AS going
LEFT JOIN LATERAL (
    (
        SELECT j.id, j.debit_after AS balance_after
        FROM ledger.journal AS j
        WHERE j.debit = %(account)s AND j.kind <> 'move' AND j.id < bound.first
        ORDER BY j.id DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT j.id, j.credit_after
        FROM ledger.journal AS j
        WHERE j.credit = %(account)s AND j.kind <> 'move' AND j.id < bound.first
        ORDER BY j.id DESC
        LIMIT 1
    )
    ORDER BY id DESC
    LIMIT 1
) AS opening ON true
LEFT JOIN LATERAL (
    (
        SELECT j.id, j.debit_after AS balance_after
        FROM ledger.journal AS j
        WHERE j.debit = %(account)s AND j.kind <> 'move' AND j.id < bound.beyond
        ORDER BY j.id DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT j.id, j.credit_after
        FROM ledger.journal AS j
        WHERE j.credit = %(account)s AND j.kind <> 'move' AND j.id < bound.beyond
        ORDER BY j.id DESC
        LIMIT 1
    )
    ORDER BY id DESC
    LIMIT 1
) AS closing ON true

-- name: days_of
-- What came in and went out of customers' accounts, by the day on which it happened, from an instant
-- on. Nothing is recorded before it happens, so that older ids need not be looked at.
SELECT
    leg.account, leg.day, sum(leg.coming)::bigint AS coming, sum(leg.going)::bigint AS going,
    count(*) AS entries
FROM (
    SELECT
        j.credit AS account, (j.event_at AT TIME ZONE %(zone)s)::date AS day,
        j.amount AS coming, 0 AS going
    FROM ledger.journal AS j
    WHERE j.credit = ANY(%(accounts)s) AND j.kind <> 'move'
        AND j.id >= ledger.id_from_v1(%(since)s) AND j.event_at >= %(since)s
    UNION ALL
    SELECT
        j.debit, (j.event_at AT TIME ZONE %(zone)s)::date, 0, j.amount
    FROM ledger.journal AS j
    WHERE j.debit = ANY(%(accounts)s) AND j.kind <> 'move'
        AND j.id >= ledger.id_from_v1(%(since)s) AND j.event_at >= %(since)s
) AS leg
GROUP BY leg.account, leg.day

-- name: latest_of
-- The newest entries over several customers' accounts, as entries shows those of one.
SELECT
    mine.number AS account, leg.id, leg.sign * leg.amount AS change, leg.balance_after,
    coalesce(leg.peer, leg.other) AS counterparty,
    leg.kind, leg.channel, leg.memo, leg.reference, leg.event_at,
    ledger.id_time_v1(leg.id) AS recorded_at, leg.group_id, a.currency
FROM unnest(%(accounts)s::bigint[]) AS mine (number)
CROSS JOIN LATERAL (
    (
        SELECT
            j.id, -1 AS sign, j.debit_after AS balance_after, j.credit AS other, j.peer, j.amount,
            j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id
        FROM ledger.journal AS j
        WHERE j.debit = mine.number AND j.kind <> 'move'
        ORDER BY j.id DESC
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT
            j.id, 1, j.credit_after, j.debit, j.peer, j.amount,
            j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id
        FROM ledger.journal AS j
        WHERE j.credit = mine.number AND j.kind <> 'move'
        ORDER BY j.id DESC
        LIMIT %(limit)s
    )
) AS leg
INNER JOIN ledger.account AS a ON a.number = mine.number
ORDER BY leg.id DESC
LIMIT %(limit)s

-- name: months_of
-- What came in and went out of customers' accounts, by month and by what it was for, from an instant on.
-- What goes from one of them to another is of the kind own. What came in and what went out stand apart.
SELECT
    leg.account, leg.month, leg.kind, sum(leg.coming)::bigint AS coming,
    sum(leg.going)::bigint AS going, count(*) AS entries
FROM (
    SELECT
        j.credit AS account, date_trunc('month', j.event_at AT TIME ZONE %(zone)s)::date AS month,
        CASE WHEN coalesce(j.peer, j.debit) = ANY(%(accounts)s) THEN 'own' ELSE j.kind END AS kind,
        j.amount AS coming, 0 AS going
    FROM ledger.journal AS j
    WHERE j.credit = ANY(%(accounts)s) AND j.kind <> 'move'
        AND j.id >= ledger.id_from_v1(%(since)s) AND j.event_at >= %(since)s
    UNION ALL
    SELECT
        j.debit, date_trunc('month', j.event_at AT TIME ZONE %(zone)s)::date,
        CASE WHEN coalesce(j.peer, j.credit) = ANY(%(accounts)s) THEN 'own' ELSE j.kind END,
        0, j.amount
    FROM ledger.journal AS j
    WHERE j.debit = ANY(%(accounts)s) AND j.kind <> 'move'
        AND j.id >= ledger.id_from_v1(%(since)s) AND j.event_at >= %(since)s
) AS leg
GROUP BY leg.account, leg.month, leg.kind, leg.coming > 0

-- name: legs_of
-- What some transfers did to customers' accounts, as months_of tells of all.
SELECT
    j.id, leg.account, date_trunc('month', j.event_at AT TIME ZONE %(zone)s)::date AS month,
    CASE WHEN coalesce(j.peer, leg.other) = ANY(%(accounts)s) THEN 'own' ELSE j.kind END AS kind,
    leg.coming, leg.going, 1 AS entries
FROM ledger.journal AS j
CROSS JOIN LATERAL (
    VALUES (j.credit, j.debit, j.amount::bigint, 0::bigint), (j.debit, j.credit, 0, j.amount)
) AS leg (account, other, coming, going)
WHERE j.id = ANY(%(ids)s) AND j.kind <> 'move' AND leg.account = ANY(%(accounts)s)
    AND j.event_at >= %(since)s
