-- What staff see of all transfers.

-- name: transfers
-- The newest transfers before a cursor, newest first. Every condition that is NULL is left out; amounts
-- are in units of the currency, with its decimals. Of a transfer between nodes the payer's side stands
-- for both, but of one account's transfers its own side does. Moves of accounts are none.
SELECT
    j.id,
    CASE WHEN d.purpose = 'clearing' THEN coalesce(j.peer, j.debit) ELSE j.debit END AS debit,
    CASE WHEN d.purpose = 'clearing' THEN j.credit ELSE coalesce(j.peer, j.credit) END AS credit,
    j.amount, d.currency, j.debit_after, j.credit_after, j.kind, j.channel, j.memo, j.reference,
    j.client, j.event_at, ledger.id_time_v1(j.id) AS recorded_at, forth.reversal_id AS reversed_by,
    back.original_id AS reverses, left_for.id AS crossing_id,
    j.peer IS NOT NULL AND d.purpose = 'clearing' AS has_come
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
INNER JOIN ledger.currency AS c ON c.code = d.currency
LEFT JOIN ledger.reversal AS forth ON forth.original_id = j.id
LEFT JOIN ledger.reversal AS back ON back.reversal_id = j.id
LEFT JOIN LATERAL (
    SELECT s.id
    FROM ledger.decision AS s
    WHERE j.peer IS NOT NULL AND d.purpose <> 'clearing'
        AND s.transfer_id <= j.id
        AND s.transfer_id >= ledger.id_v1(ledger.id_tick_v1(j.id) - 9999, ~9223372036854775807)
        AND right(s.transfer_id::text, 17) = right(j.id::text, 17)
    LIMIT 1
) AS left_for ON true
WHERE j.kind <> 'move'
    AND j.id >= ledger.id_from_v1(%(since)s)
    AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
    AND (%(ids)s::uuid[] IS NULL OR j.id = ANY(%(ids)s))
    AND (%(account)s::bigint IS NULL OR j.debit = %(account)s OR j.credit = %(account)s)
    AND (
        j.peer IS NULL OR d.purpose <> 'clearing' OR j.id = ANY(%(ids)s)
        OR %(account)s IN (j.debit, j.credit)
    )
    AND (
        %(branch)s::bigint IS NULL
        OR %(branch)s IN (j.debit / 1000000000, coalesce(j.peer, j.credit) / 1000000000)
    )
    AND (%(least)s::numeric IS NULL OR j.amount >= %(least)s * 10::numeric ^ c.exponent)
    AND (%(most)s::numeric IS NULL OR j.amount <= %(most)s * 10::numeric ^ c.exponent)
    AND (%(currency)s::text IS NULL OR d.currency = %(currency)s)
    AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
    AND (%(channel)s::text IS NULL OR j.channel = %(channel)s)
    AND (%(is_across)s::boolean IS NULL OR (j.peer IS NOT NULL) = %(is_across)s)
    AND (
        NOT %(hide_reversed)s::boolean OR (forth.reversal_id IS NULL AND back.original_id IS NULL)
    )
    AND (
        %(text)s::text IS NULL OR j.reference = %(text)s
        OR strpos(lower(j.memo), lower(%(text)s)) > 0
    )
ORDER BY j.id DESC
LIMIT %(limit)s

-- name: arrived
-- Those of some transfers between nodes that have come here, and when.
SELECT id, arrived_at FROM ledger.arrival WHERE id = ANY(%(ids)s::uuid[])

-- name: under_reference
-- The newest transfers that clients gave a reference.
SELECT transfer_id FROM ledger.reference WHERE reference = %(reference)s
ORDER BY transfer_id DESC
LIMIT %(limit)s
