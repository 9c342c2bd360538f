-- What Python asks the ledger, by name.
--
-- Who is answered as before relies on it, so it must outlive this server: with a message in the log the
-- transaction ends when the standbys have that, and with it all that was committed here earlier.

-- name: post
SELECT p.transfer_id, p.debit_after, p.credit_after, p.replayed, p.flushed
FROM ledger.post_v2(
    p_client => %(client)s, p_key => %(key)s, p_debit => %(debit)s, p_credit => %(credit)s,
    p_amount => %(amount)s, p_currency => %(currency)s, p_kind => %(kind)s,
    p_channel => %(channel)s, p_day => %(day)s, p_holder => %(holder)s, p_memo => %(memo)s,
    p_reference => %(reference)s, p_event_at => %(event_at)s
) AS p

-- name: wait_for_disk
-- The same for who ended without waiting, and for who was refused because of one who did.
SELECT pg_logical_emit_message(true, 'bank', 'posted')

-- name: post_fully
SELECT p.transfer_id, p.debit_after, p.credit_after, p.replayed
FROM ledger.post_fully_v1(
    p_client => %(client)s, p_key => %(key)s, p_debit => %(debit)s, p_credit => %(credit)s,
    p_amount => %(amount)s, p_currency => %(currency)s, p_kind => %(kind)s,
    p_channel => %(channel)s, p_day => %(day)s, p_holder => %(holder)s, p_memo => %(memo)s,
    p_reference => %(reference)s, p_event_at => %(event_at)s
) AS p
WHERE NOT p.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: post_batch
SELECT p.first_id, p.refused_items, p.refused_codes, p.replayed
FROM ledger.post_batch_v1(
    p_client => %(client)s, p_key => %(key)s, p_accounts => %(accounts)s, p_debit => %(debit)s,
    p_credit => %(credit)s, p_amount => %(amount)s, p_currency => %(currency)s,
    p_kind => %(kind)s, p_channel => %(channel)s, p_day => %(day)s, p_holder => %(holder)s,
    p_linked => %(linked)s, p_memo => %(memo)s, p_reference => %(reference)s,
    p_event_at => %(event_at)s
) AS p
WHERE NOT p.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: post_chain
-- As post_batch, and the answer stands for good.
SELECT
    p.first_id, p.refused_items, p.refused_codes, p.replayed,
    ledger.keep_chain_v1(
        p_client => %(client)s, p_key => %(key)s, p_payer => %(payer)s, p_codes => p.refused_codes
    )
FROM ledger.post_batch_v1(
    p_client => %(client)s, p_key => %(key)s, p_accounts => %(accounts)s, p_debit => %(debit)s,
    p_credit => %(credit)s, p_amount => %(amount)s, p_currency => %(currency)s,
    p_kind => %(kind)s, p_channel => %(channel)s, p_day => %(day)s, p_holder => %(holder)s,
    p_linked => %(linked)s, p_memo => %(memo)s, p_reference => %(reference)s,
    p_event_at => %(event_at)s, p_refused => %(refused)s
) AS p
WHERE NOT p.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: book_cash
SELECT c.transfer_id, c.debit_after, c.credit_after, c.replayed
FROM ledger.book_cash_v2(
    p_client => %(client)s, p_key => %(key)s, p_account => %(account)s, p_cash => %(cash)s,
    p_amount => %(amount)s, p_currency => %(currency)s, p_kind => %(kind)s,
    p_channel => %(channel)s, p_day => %(day)s, p_since => %(since)s, p_most => %(most)s,
    p_holder => %(holder)s, p_memo => %(memo)s
) AS c
WHERE NOT c.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: answered
SELECT a.transfer_id, a.debit_after, a.credit_after
FROM ledger.answered_v1(
    p_client => %(client)s, p_key => %(key)s, p_debit => %(debit)s, p_credit => %(credit)s,
    p_amount => %(amount)s, p_currency => %(currency)s, p_kind => %(kind)s, p_memo => %(memo)s,
    p_reference => %(reference)s, p_event_at => %(event_at)s
) AS a
WHERE a.transfer_id IS NOT NULL
    AND pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: answered_batch
SELECT b.first_id, b.refused_items, b.refused_codes
FROM ledger.answered_batch_v1(
    p_client => %(client)s, p_key => %(key)s, p_accounts => %(accounts)s, p_debit => %(debit)s,
    p_credit => %(credit)s, p_amount => %(amount)s, p_currency => %(currency)s,
    p_kind => %(kind)s, p_linked => %(linked)s, p_memo => %(memo)s, p_reference => %(reference)s,
    p_event_at => %(event_at)s, p_peer => %(peer)s
) AS b
WHERE b.first_id IS NOT NULL
    AND pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: keys_used
-- Those of some keys that a client has used here.
SELECT key FROM ledger.request WHERE client = %(client)s AND key = ANY(%(keys)s)

-- name: chain_answered
-- What was answered to a chain. That an account had moved is no answer.
SELECT result_id, refused_items, refused_codes
FROM ledger.request
WHERE client = %(client)s AND key = %(key)s
    AND array_position(refused_codes, 28::smallint) IS NULL
    AND pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: send_batch
SELECT b.first_id, b.refused_items, b.refused_codes, b.replayed
FROM ledger.send_batch_v1(
    p_id => %(id)s, p_attempt => %(attempt)s::smallint, p_destination => %(destination)s,
    p_client => %(client)s, p_key => %(key)s, p_accounts => %(accounts)s, p_debit => %(debit)s,
    p_credit => %(credit)s, p_amount => %(amount)s, p_currency => %(currency)s,
    p_kind => %(kind)s, p_channel => %(channel)s, p_day => %(day)s, p_holder => %(holder)s,
    p_linked => %(linked)s, p_memo => %(memo)s, p_reference => %(reference)s,
    p_event_at => %(event_at)s, p_peer => %(peer)s, p_refused => %(refused)s
) AS b

-- name: send_chain
-- As send_batch, and the answer stands for good.
SELECT
    b.first_id, b.refused_items, b.refused_codes, b.replayed,
    ledger.keep_chain_v1(
        p_client => %(client)s, p_key => %(key)s, p_payer => %(payer)s, p_codes => b.refused_codes
    )
FROM ledger.send_batch_v1(
    p_id => %(id)s, p_attempt => %(attempt)s::smallint, p_destination => %(destination)s,
    p_client => %(client)s, p_key => %(key)s, p_accounts => %(accounts)s, p_debit => %(debit)s,
    p_credit => %(credit)s, p_amount => %(amount)s, p_currency => %(currency)s,
    p_kind => %(kind)s, p_channel => %(channel)s, p_day => %(day)s, p_holder => %(holder)s,
    p_linked => %(linked)s, p_memo => %(memo)s, p_reference => %(reference)s,
    p_event_at => %(event_at)s, p_peer => %(peer)s, p_refused => %(refused)s
) AS b

-- name: receive_batch
SELECT b.first_id, b.refused_items, b.refused_codes
FROM ledger.receive_batch_v1(
    p_id => %(id)s, p_attempt => %(attempt)s::smallint, p_source => %(source)s,
    p_client => %(client)s, p_accounts => %(accounts)s, p_debit => %(debit)s,
    p_credit => %(credit)s, p_amount => %(amount)s, p_currency => %(currency)s,
    p_kind => %(kind)s, p_channel => %(channel)s, p_day => %(day)s, p_linked => %(linked)s,
    p_memo => %(memo)s, p_event_at => %(event_at)s, p_peer => %(peer)s,
    p_refused => %(refused)s
) AS b

-- name: hold
SELECT h.hold_id, h.replayed
FROM ledger.hold_v1(
    p_client => %(client)s, p_key => %(key)s, p_account => %(account)s, p_payee => %(payee)s,
    p_amount => %(amount)s, p_currency => %(currency)s, p_expires_at => %(expires_at)s,
    p_day => %(day)s, p_holder => %(holder)s, p_memo => %(memo)s
) AS h
WHERE NOT h.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: capture
SELECT c.transfer_id, c.debit_after, c.credit_after, c.replayed
FROM ledger.capture_v1(
    p_client => %(client)s, p_key => %(key)s, p_hold => %(hold)s, p_amount => %(amount)s,
    p_channel => %(channel)s, p_day => %(day)s, p_kind => %(kind)s, p_memo => %(memo)s
) AS c
WHERE NOT c.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: release
SELECT r.replayed
FROM ledger.release_v1(
    p_client => %(client)s, p_key => %(key)s, p_hold => %(hold)s, p_day => %(day)s
) AS r
WHERE NOT r.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: reverse
SELECT r.reversal_id, r.replayed
FROM ledger.reverse_v1(
    p_client => %(client)s, p_key => %(key)s, p_transfer => %(transfer)s,
    p_channel => %(channel)s, p_day => %(day)s, p_memo => %(memo)s
) AS r
WHERE NOT r.replayed OR pg_logical_emit_message(true, 'bank', 'replayed') IS NOT NULL

-- name: next_serials
SELECT nextval('ledger.account_serial') FROM generate_series(1, %(count)s)

-- name: lock_imports
-- An import waits for another one as long as it takes, and for whatever else is in its way.
SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock(7103, 2)

-- name: open
SELECT ledger.open_v1(
    %(number)s, %(currency)s, %(purpose)s, %(side)s::smallint, %(running)s,
    %(overdraft_limit)s, %(daily_limit)s, %(client)s
)

-- name: set_holder
SELECT ledger.set_holder_v2(%(client)s, %(key)s, %(account)s, %(user)s, %(rights)s)

-- name: open_customer
SELECT ledger.open_customer_v1(
    p_client => %(client)s, p_key => %(key)s, p_number => %(number)s, p_currency => %(currency)s,
    p_overdraft_limit => %(overdraft_limit)s, p_owner => %(owner)s,
    p_identity => jsonb_build_object(
        'product', %(product)s::text, 'name', %(name)s::text,
        'external_reference', %(external_reference)s::text
    ),
    p_opened_at => %(opened_at)s
)

-- name: standings
-- How customers' accounts stand, and who holds them, for the head office's copies.
SELECT
    a.number, a.status,
    ARRAY(SELECT h.user_id FROM ledger.holder AS h WHERE h.account = a.number ORDER BY h.user_id)
        AS people,
    ARRAY(SELECT h.rights FROM ledger.holder AS h WHERE h.account = a.number ORDER BY h.user_id)
        AS rights
FROM ledger.account AS a
WHERE a.number = ANY(%(numbers)s) AND a.purpose = 'customer'

-- name: customers_after
-- The numbers of customers' accounts that live on the node, page by page.
SELECT number
FROM ledger.account
WHERE number > %(after)s AND purpose = 'customer' AND status <> 'moved'
ORDER BY number
LIMIT %(limit)s

-- name: openings
-- What the head office is to know of accounts since they were opened.
SELECT
    account AS number, details ->> 'product' AS product, details ->> 'name' AS name,
    details ->> 'currency' AS currency, details ->> 'external_reference' AS external_reference,
    (details ->> 'opened_at')::timestamptz AS opened_at
FROM ledger.account_event
WHERE account = ANY(%(numbers)s) AND action = 'open' AND details ? 'product'

-- name: changed_accounts
-- The accounts of the events after the cursor of a tail, in its order, each with its transaction.
SELECT e.account, e.xid::text AS tx
FROM ledger.account_event AS e
WHERE e.xid > (SELECT t.xid FROM ledger.tail AS t WHERE t.name = %(name)s)
    AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid

-- name: set_status
SELECT ledger.set_status_v2(%(client)s, %(key)s, %(number)s, %(status)s, %(reason)s)

-- name: set_limits
SELECT ledger.set_limits_v1(
    %(number)s, %(overdraft_limit)s, %(daily_limit)s, %(client)s, %(reason)s
)

-- name: change_limits
SELECT ledger.set_limits_v2(
    %(client)s, %(key)s, %(number)s, %(limits)s, %(is_lowering)s, %(reason)s
)

-- name: limits
-- What a customer's account may owe and spend, and what it has spent on a day.
SELECT
    number, currency, status, overdraft_limit, daily_limit, transfer_limit,
    CASE WHEN spent_day < %(day)s THEN 0 ELSE spent END AS spent
FROM ledger.account
WHERE number = %(number)s AND purpose = 'customer'

-- name: set_payee_limit
SELECT ledger.set_payee_limit_v1(
    %(number)s, %(payee)s, %(daily_limit)s, %(client)s, %(reason)s
)

-- name: balances
SELECT number, currency, purpose, status, balance, held, available, overdraft_limit, daily_limit
FROM ledger.balance
WHERE number = ANY(%(numbers)s)
ORDER BY number

-- name: accounts_of
-- An account's holders see it, and nobody else.
SELECT
    b.number, b.currency, b.purpose, b.status, b.balance, b.held, b.available,
    b.overdraft_limit, b.daily_limit
FROM ledger.holder AS h
INNER JOIN ledger.balance AS b ON b.number = h.account
WHERE h.user_id = %(user)s
ORDER BY b.number

-- name: account_of
-- One of them. All of a running account's entries lie before the first id after its newest.
SELECT
    b.number, b.currency, b.purpose, b.status, b.balance, b.held, b.available,
    b.overdraft_limit, b.daily_limit,
    CASE WHEN a.running THEN ledger.id_v1(a.last_tick + 1, ~9223372036854775807) END AS before
FROM ledger.holder AS h
INNER JOIN ledger.balance AS b ON b.number = h.account
INNER JOIN ledger.account AS a ON a.number = h.account
WHERE h.user_id = %(user)s AND h.account = %(number)s

-- name: rights_on
SELECT rights FROM ledger.holder WHERE user_id = %(user)s AND account = %(account)s

-- name: owners_of
SELECT account, min(user_id) AS user_id
FROM ledger.holder
WHERE account = ANY(%(accounts)s) AND rights = 'owner'
GROUP BY account

-- name: balance_at
SELECT ledger.balance_at_v1(%(number)s, %(at)s)

-- name: entries
-- A page of an account's entries, newest first, before a cursor. Without its moves: it goes on there as
-- it ended here. Every condition that is NULL is left out. Each side reads its own index, from the newest
-- on, and no further than the page needs: of the view of all entries the whole history would be sorted.
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
            AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
            AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
            AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
            AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
            AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
            AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
            AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
        ORDER BY j.id DESC
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
            AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
            AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
            AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
            AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
            AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
            AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
            AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
        ORDER BY j.id DESC
        LIMIT %(limit)s
    )
) AS leg
INNER JOIN ledger.account AS a ON a.number = %(account)s
ORDER BY leg.id DESC
LIMIT %(limit)s

-- name: transfer
-- Of a transfer between nodes, the account at the other end stands for the clearing account here.
SELECT
    j.id,
    CASE WHEN d.purpose = 'clearing' THEN coalesce(j.peer, j.debit) ELSE j.debit END AS debit,
    CASE WHEN c.purpose = 'clearing' THEN coalesce(j.peer, j.credit) ELSE j.credit END AS credit,
    j.amount, d.currency, j.debit_after, j.credit_after, j.kind,
    j.channel, j.memo, j.reference, j.event_at, ledger.id_time_v1(j.id) AS recorded_at, j.group_id,
    forth.reversal_id AS reversed_by, back.original_id AS reverses, j.peer IS NOT NULL AS is_across
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
INNER JOIN ledger.account AS c ON c.number = j.credit
LEFT JOIN ledger.reversal AS forth ON forth.original_id = j.id
LEFT JOIN ledger.reversal AS back ON back.reversal_id = j.id
WHERE j.id = %(id)s

-- name: transfers_of
-- A page of the transfers from and to accounts, newest first, before a cursor; what goes from one of
-- them to another once, as it was paid. Conditions and indexes as for entries.
SELECT
    j.id,
    CASE WHEN d.purpose = 'clearing' THEN coalesce(j.peer, j.debit) ELSE j.debit END AS debit,
    CASE WHEN c.purpose = 'clearing' THEN coalesce(j.peer, j.credit) ELSE j.credit END AS credit,
    j.amount, d.currency, j.debit_after, j.credit_after, j.kind,
    j.channel, j.memo, j.reference, j.event_at, ledger.id_time_v1(j.id) AS recorded_at, j.group_id,
    forth.reversal_id AS reversed_by, back.original_id AS reverses, j.peer IS NOT NULL AS is_across
FROM (
    SELECT theirs.id
    FROM unnest(%(accounts)s::bigint[]) AS mine (number)
    CROSS JOIN LATERAL (
        (
            SELECT j.id
            FROM ledger.journal AS j
            WHERE j.debit = mine.number AND j.kind <> 'move'
                AND j.id >= ledger.id_from_v1(%(since)s)
                AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
                AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
                AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
                AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
                AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
                AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
                AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
            ORDER BY j.id DESC
            LIMIT %(limit)s
        )
        UNION ALL
        (
            SELECT j.id
            FROM ledger.journal AS j
            WHERE j.credit = mine.number AND j.kind <> 'move'
                AND coalesce(j.peer, j.debit) <> ALL(%(accounts)s::bigint[])
                AND j.id >= ledger.id_from_v1(%(since)s)
                AND j.id < least(ledger.id_from_v1(%(until)s), %(before)s::uuid)
                AND (%(value_since)s::timestamptz IS NULL OR j.event_at >= %(value_since)s)
                AND (%(value_until)s::timestamptz IS NULL OR j.event_at < %(value_until)s)
                AND (%(least)s::bigint IS NULL OR j.amount >= %(least)s)
                AND (%(most)s::bigint IS NULL OR j.amount <= %(most)s)
                AND (%(kind)s::text IS NULL OR j.kind = %(kind)s)
                AND (%(text)s::text IS NULL OR strpos(lower(j.memo), lower(%(text)s)) > 0)
            ORDER BY j.id DESC
            LIMIT %(limit)s
        )
    ) AS theirs
    ORDER BY theirs.id DESC
    LIMIT %(limit)s
) AS found
INNER JOIN ledger.journal AS j ON j.id = found.id
INNER JOIN ledger.account AS d ON d.number = j.debit
INNER JOIN ledger.account AS c ON c.number = j.credit
LEFT JOIN ledger.reversal AS forth ON forth.original_id = j.id
LEFT JOIN ledger.reversal AS back ON back.reversal_id = j.id
ORDER BY j.id DESC

-- name: decision_of
-- The decision under which a transfer left this node, of a batch by any of its items: their ids end
-- alike and are at most 10,000 ticks apart.
SELECT d.id, d.destination
FROM ledger.decision AS d
WHERE d.transfer_id <= %(id)s::uuid
    AND d.transfer_id >= ledger.id_v1(
        ledger.id_tick_v1(%(id)s::uuid) - 9999, ~9223372036854775807
    )
    AND right(d.transfer_id::text, 17) = right(%(id)s::uuid::text, 17)

-- name: has_arrived
SELECT EXISTS (SELECT FROM ledger.arrival WHERE id = %(id)s)

-- name: hold_by_id
SELECT
    id, account, payee, amount, currency, captured, state, memo, placed_at, expires_at, ended_at,
    transfer_id
FROM ledger.hold_now
WHERE id = %(id)s

-- name: holds_of
-- A page of what accounts have set aside and what is set aside for them, newest first, before a cursor.
SELECT
    theirs.id, theirs.account, theirs.payee, theirs.amount, theirs.currency, theirs.captured,
    theirs.state, theirs.memo, theirs.placed_at, theirs.expires_at, theirs.ended_at,
    theirs.transfer_id
FROM unnest(%(accounts)s::bigint[]) AS mine (number)
CROSS JOIN LATERAL (
    (
        SELECT * FROM ledger.hold_now AS h
        WHERE h.account = mine.number AND h.id < %(before)s
            AND (%(state)s::text IS NULL OR h.state = %(state)s)
        ORDER BY h.id DESC
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT * FROM ledger.hold_now AS h
        WHERE h.payee = mine.number AND h.account <> ALL(%(accounts)s::bigint[])
            AND h.id < %(before)s AND (%(state)s::text IS NULL OR h.state = %(state)s)
        ORDER BY h.id DESC
        LIMIT %(limit)s
    )
) AS theirs
ORDER BY theirs.id DESC
LIMIT %(limit)s

-- name: transfers_under
SELECT
    r.reference, j.id, j.debit, j.credit, j.amount, j.debit_after, j.credit_after, j.kind,
    j.event_at
FROM ledger.reference AS r
INNER JOIN ledger.journal AS j ON j.id = r.transfer_id
WHERE r.client = %(client)s AND r.reference = ANY(%(references)s)

-- name: fold
SELECT ledger.fold_v1()

-- name: expire_holds
SELECT ledger.expire_holds_v1()

-- name: forget_requests
SELECT ledger.forget_requests_v1(interval '90 days')

-- name: months_without_partition
SELECT month::date
FROM generate_series(
    %(first)s::timestamp, %(first)s::timestamp + make_interval(months => %(ahead)s), interval '1 month'
) AS month
WHERE to_regclass('ledger.journal_' || to_char(month, 'YYYY_MM')) IS NULL
ORDER BY month

-- name: add_partition
SELECT ledger.add_partition_v1(%(month)s)

-- name: rows_in_default
SELECT ledger.rows_in_default_v1()

-- name: lock_tail
SELECT ledger.lock_tail_v1(%(name)s)

-- name: read_tail
SELECT
    j.xid::text AS tx, j.id, j.debit, j.credit, j.amount, j.debit_after, j.credit_after, j.kind,
    j.channel, j.client, j.event_at, j.group_id, j.reference, j.memo
FROM ledger.read_tail_v1(%(name)s, %(limit)s) AS j

-- name: advance_tail
SELECT ledger.advance_tail_v1(%(name)s, %(tx)s::xid8, %(id)s)

-- name: beat
SELECT ledger.beat_v1(%(node)s)
