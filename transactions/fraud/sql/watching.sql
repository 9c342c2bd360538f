-- What the rules look at.

-- name: courses
-- What moved on customers' accounts, newest first: payments out, and cash paid in since an instant. What
-- was brought in from elsewhere stands at the time when it happened. `own` are other accounts of the same
-- people at this node.
SELECT
    a.number AS account, a.currency, p.id, p.at, p.is_out, p.amount, coalesce(p.after, 0) AS after,
    p.other, p.kind, p.channel,
    ARRAY(
        SELECT theirs.account
        FROM ledger.holder AS mine
        INNER JOIN ledger.holder AS theirs ON theirs.user_id = mine.user_id
        WHERE mine.account = a.number AND theirs.account <> a.number
    ) AS own
FROM unnest(%(accounts)s::bigint[]) AS wanted (number)
INNER JOIN ledger.account AS a ON a.number = wanted.number AND a.purpose = 'customer'
CROSS JOIN LATERAL (
    (
        SELECT
            j.id,
            CASE WHEN j.channel = 'import' THEN j.event_at ELSE ledger.id_time_v1(j.id) END AS at,
            true AS is_out, j.amount, j.debit_after AS after, coalesce(j.peer, j.credit) AS other,
            j.kind, j.channel
        FROM ledger.journal AS j
        WHERE j.debit = a.number AND j.kind = ANY(%(spending)s)
        ORDER BY j.id DESC
        LIMIT %(most)s
    )
    UNION ALL
    (
        SELECT
            j.id, ledger.id_time_v1(j.id) AS at, false AS is_out, j.amount, j.credit_after AS after,
            coalesce(j.peer, j.debit) AS other, j.kind, j.channel
        FROM ledger.journal AS j
        WHERE j.credit = a.number AND j.kind = 'deposit' AND j.channel <> 'import'
            AND j.id >= ledger.id_from_v1(%(since)s)
        ORDER BY j.id DESC
        LIMIT %(most)s
    )
) AS p
ORDER BY account, p.id
