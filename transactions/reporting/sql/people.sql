-- Who moved how much in a period.

-- name: accounts
-- Of each customer's account that moved: how often, what came in and what went out, and when the last happened.
-- What moves with an account is no movement of its owners.
SELECT
    leg.account, a.currency, count(*) AS movements, sum(leg.coming)::bigint AS coming,
    sum(leg.going)::bigint AS going, max(leg.event_at) AS last_at
FROM (
    SELECT j.event_at, j.credit AS account, j.amount AS coming, 0 AS going
    FROM ledger.journal AS j
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
        AND j.kind <> 'move'
    UNION ALL
    SELECT j.event_at, j.debit, 0, j.amount
    FROM ledger.journal AS j
    WHERE j.id >= ledger.id_from_v1(%(since)s) AND j.id < ledger.id_from_v1(%(until)s)
        AND j.kind <> 'move'
) AS leg
INNER JOIN ledger.account AS a ON a.number = leg.account
WHERE a.purpose = 'customer'
GROUP BY leg.account, a.currency

-- name: owners
-- Who owns each account of a list, as its ledger says.
SELECT h.account, h.user_id
FROM ledger.holder AS h
WHERE h.rights = 'owner' AND h.account = ANY(%(ids)s)

-- name: people
-- The user IDs and names of people, of a list of the database's own ids.
SELECT u.id, u.number, u.full_name
FROM public.accounts_user AS u
WHERE u.id = ANY(%(ids)s)
