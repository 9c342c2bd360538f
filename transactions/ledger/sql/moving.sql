-- Moving an account to another node, each node's part: two halves of one two-phase commit. The old node
-- hands over the account with its balance, limits, holders, and what was asked in its name, so that the
-- same request is answered the same wherever it lives. History stays where it was made, and so does an
-- empty row of status 'moved', which tells whoever comes there that the account is gone.

ALTER TABLE ledger.request ADD COLUMN IF NOT EXISTS account bigint;
ALTER TABLE ledger.reference ADD COLUMN IF NOT EXISTS account bigint;
COMMENT ON COLUMN ledger.request.account IS
'the account with which this came from another node, where the result is, or will leave this one though '
'nothing was posted; NULL: answered here';
COMMENT ON COLUMN ledger.reference.account IS
'the account with which this came from another node, where the transfer is; NULL: used here';

-- name: movable_v1
-- Return an account that can move, locked. Raises unknown_account, account_moved, account_closed,
-- invalid_status for a summed one, and hold_open, also when it is to be paid by a hold: that can be
-- captured on one node only.
CREATE OR REPLACE FUNCTION ledger.movable_v1(p_number bigint) RETURNS ledger.account
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account := ledger.lock_account_v1(p_number);
BEGIN
    PERFORM ledger.expire_held_v1(ARRAY[p_number]);
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
    IF v_account.number IS NULL THEN
        PERFORM ledger.refuse_v1(71);
    ELSIF v_account.status = 'moved' THEN
        PERFORM ledger.refuse_v1(28);
    ELSIF v_account.status = 'closed' THEN
        PERFORM ledger.refuse_v1(72);
    ELSIF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF v_account.held > 0 OR EXISTS (
        SELECT FROM ledger.hold
        WHERE payee = p_number AND state = 'open' AND expires_at > clock_timestamp()
    ) THEN
        PERFORM ledger.refuse_v1(74);
    END IF;
    RETURN v_account;
END
$$;

-- name: requests_of_v1
-- The requests to be answered where an account lives: what it paid and set aside, what the bank's own
-- accounts paid it, what was changed about it. Those of a batch are found by the end of the id, which
-- all its transfers share. Requests are kept for 90 days.
CREATE OR REPLACE FUNCTION ledger.requests_of_v1(p_account bigint) RETURNS SETOF ledger.request
LANGUAGE sql STABLE AS $$
    SELECT r.*
    FROM ledger.request AS r
    WHERE r.account = p_account
        OR r.result_id = ledger.account_result_v1(p_account)
        OR (r.client, right(r.result_id::text, 17)) IN (
            SELECT j.client, right(j.id::text, 17)
            FROM ledger.journal AS j INNER JOIN ledger.account AS d ON d.number = j.debit
            WHERE (
                j.debit = p_account
                OR j.credit = p_account AND d.purpose NOT IN ('customer', 'loan', 'clearing')
            ) AND j.id >= ledger.id_from_v1(now() - interval '90 days')
            UNION ALL
            SELECT h.client, right(h.id::text, 17) FROM ledger.hold AS h WHERE h.account = p_account
        )
$$;

-- name: references_of_v1
-- The references used up by what an account paid, or the bank's own accounts paid it.
CREATE OR REPLACE FUNCTION ledger.references_of_v1(p_account bigint)
RETURNS TABLE (client bigint, reference text, transfer_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT r.client, r.reference, r.transfer_id FROM ledger.reference AS r WHERE r.account = p_account
    UNION ALL
    SELECT j.client, j.reference, j.id
    FROM ledger.journal AS j INNER JOIN ledger.account AS d ON d.number = j.debit
    WHERE j.reference IS NOT NULL AND (
        j.debit = p_account
        OR j.credit = p_account AND d.purpose NOT IN ('customer', 'loan', 'clearing')
    )
$$;

-- name: post_move_v1
-- Write the leg of a move: what the locked account hands over (negative: takes over) against the
-- clearing account with the other node. Neither status nor limits count: the money stays its owner's.
-- Without a balance there is no leg.
CREATE OR REPLACE FUNCTION ledger.post_move_v1(
    p_id uuid, p_account ledger.account, p_clearing bigint, p_balance bigint, p_after bigint,
    p_client bigint
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_is_debit boolean := p_account.side * p_balance > 0;
BEGIN
    IF NOT EXISTS (
        SELECT FROM ledger.account
        WHERE number = p_clearing AND NOT running AND currency = p_account.currency
    ) THEN
        PERFORM ledger.refuse_v1(21);
    END IF;
    INSERT INTO ledger.journal (
        id, xid, debit, credit, amount, debit_after, credit_after, client, event_at, kind, channel,
        peer
    )
    SELECT
        p_id, pg_current_xact_id(),
        CASE WHEN v_is_debit THEN p_account.number ELSE p_clearing END,
        CASE WHEN v_is_debit THEN p_clearing ELSE p_account.number END,
        abs(p_balance),
        CASE WHEN v_is_debit THEN p_after END,
        CASE WHEN NOT v_is_debit THEN p_after END,
        p_client, clock_timestamp(), 'move', 'bank', p_account.number
    WHERE p_balance <> 0;
END
$$;

-- name: expect_account_v1
-- Make room for an account that is about to move here for the first time, so that whoever asks for it
-- waits for the move. Raises account_exists when the number is taken.
CREATE OR REPLACE FUNCTION ledger.expect_account_v1(
    p_number bigint, p_currency text, p_purpose text, p_side smallint
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.account (number, currency, purpose, side, running, status)
    VALUES (p_number, p_currency, p_purpose, p_side, true, 'moved')
    ON CONFLICT DO NOTHING;
    IF NOT EXISTS (
        SELECT FROM ledger.account
        WHERE number = p_number AND currency = p_currency AND purpose = p_purpose AND side = p_side
            AND running AND status = 'moved'
    ) THEN
        PERFORM ledger.refuse_v1(70);
    END IF;
END
$$;

-- name: hand_over_v1
-- Let an account go to another node, and decide; answers with all that goes along, for take_over_v1
-- there. p_clearing is the clearing account with that node. Raises what movable_v1 raises, and a
-- violation of decision_pkey when the attempt was given up for lost meanwhile.
CREATE OR REPLACE FUNCTION ledger.hand_over_v1(
    p_id uuid, p_attempt smallint, p_destination text, p_clearing bigint, p_number bigint,
    p_client bigint
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account;
    v_transfer uuid;
    v_moves integer;
    v_belongings jsonb;
BEGIN
    -- Nobody takes a position over all nodes meanwhile.
    PERFORM pg_advisory_xact_lock_shared(7103, 3);
    v_account := ledger.movable_v1(p_number);
    v_account.last_tick := greatest(ledger.tick_v1(), v_account.last_tick + 1);
    v_transfer := ledger.id_v1(v_account.last_tick, ledger.id_tail_v1());
    INSERT INTO ledger.decision (id, attempt, state, destination, transfer_id)
    VALUES (p_id, p_attempt, 'committed', p_destination, v_transfer);
    INSERT INTO ledger.moved AS m (account, node, moves) VALUES (p_number, p_destination, 1)
    ON CONFLICT (account) DO UPDATE
    SET node = excluded.node, moves = m.moves + 1, moved_at = clock_timestamp()
    RETURNING moves INTO v_moves;
    v_belongings := jsonb_build_object(
        'moves', v_moves,
        'account', to_jsonb(v_account),
        'holders', ARRAY(SELECT to_jsonb(h) FROM ledger.holder AS h WHERE h.account = p_number),
        'payee_limits',
        ARRAY(SELECT to_jsonb(p) FROM ledger.payee_limit AS p WHERE p.account = p_number),
        'requests', ARRAY(SELECT to_jsonb(r) FROM ledger.requests_of_v1(p_number) AS r),
        'references', ARRAY(SELECT to_jsonb(r) FROM ledger.references_of_v1(p_number) AS r),
        'cash', ARRAY(
            SELECT to_jsonb(c) FROM ledger.cash_booked AS c
            WHERE c.account = p_number AND c.id >= ledger.id_from_v1(now() - interval '2 days')));
    PERFORM ledger.post_move_v1(v_transfer, v_account, p_clearing, v_account.balance, 0, p_client);
    -- The account first: copies keep what belongs to an account that has left, until the new node tells.
    UPDATE ledger.account
    SET
        status = 'moved', balance = 0, floor = - overdraft_limit, payee_limits = false,
        last_tick = v_account.last_tick
    WHERE number = p_number;
    DELETE FROM ledger.holder WHERE account = p_number;
    DELETE FROM ledger.payee_limit WHERE account = p_number;
    DELETE FROM ledger.cash_elsewhere WHERE account = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(
        p_number, 'hand_over', p_client, NULL, jsonb_build_object('node', p_destination));
    RETURN v_belongings;
END
$$;

-- name: take_over_v1
-- Let an account live on this node, with what hand_over_v1 gave along; expect_account_v1 has made room.
-- p_clearing is the clearing account with the source. Raises account_exists when it lives here already,
-- and a violation of arrival_pkey when this move is done.
CREATE OR REPLACE FUNCTION ledger.take_over_v1(
    p_id uuid, p_attempt smallint, p_source text, p_destination text, p_clearing bigint,
    p_client bigint, p_belongings jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := jsonb_populate_record(NULL::ledger.account, p_belongings -> 'account');
    v_here ledger.account := ledger.lock_account_v1(v_account.number);
    v_transfer uuid;
BEGIN
    IF v_here.status IS DISTINCT FROM 'moved' THEN
        PERFORM ledger.refuse_v1(70);
    END IF;
    v_account.last_tick := greatest(
        ledger.tick_v1(), v_here.last_tick + 1, v_account.last_tick + 1);
    v_transfer := ledger.id_v1(v_account.last_tick, ledger.id_tail_v1());
    INSERT INTO ledger.arrival (id, attempt, source, transfer_id)
    VALUES (p_id, p_attempt, p_source, v_transfer);
    PERFORM ledger.note_moved_v1(v_account.number, p_destination, (p_belongings -> 'moves')::integer);
    PERFORM ledger.post_move_v1(
        v_transfer, v_account, p_clearing, - v_account.balance, v_account.balance, p_client);
    UPDATE ledger.account
    SET
        status = v_account.status,
        balance = v_account.balance,
        floor = v_account.floor,
        overdraft_limit = v_account.overdraft_limit,
        daily_limit = v_account.daily_limit,
        transfer_limit = v_account.transfer_limit,
        spent = v_account.spent,
        spent_day = v_account.spent_day,
        payee_limits = v_account.payee_limits,
        last_tick = v_account.last_tick
    WHERE number = v_account.number;
    PERFORM ledger.keep_belongings_v1(v_account.number, p_belongings);
    PERFORM ledger.mark_usual_v1(v_account.number);
    PERFORM ledger.note_v1(
        v_account.number, 'take_over', p_client, NULL, jsonb_build_object('node', p_source));
END
$$;

-- name: keep_belongings_v1
-- Write what came along with an account; what is here from before, or is another's here, stays.
CREATE OR REPLACE FUNCTION ledger.keep_belongings_v1(p_number bigint, p_belongings jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.holder (account, user_id, rights)
    SELECT account, user_id, rights
    FROM jsonb_populate_recordset(NULL::ledger.holder, p_belongings -> 'holders');
    INSERT INTO ledger.payee_limit (account, payee, daily_limit, spent, spent_day)
    SELECT account, payee, daily_limit, spent, spent_day
    FROM jsonb_populate_recordset(NULL::ledger.payee_limit, p_belongings -> 'payee_limits');
    INSERT INTO ledger.request (
        client, key, hash, result_id, refused_items, refused_codes, requested_at, account
    )
    SELECT client, key, hash, result_id, refused_items, refused_codes, requested_at, p_number
    FROM jsonb_populate_recordset(NULL::ledger.request, p_belongings -> 'requests')
    ON CONFLICT DO NOTHING;
    INSERT INTO ledger.reference (client, reference, transfer_id, account)
    SELECT client, reference, transfer_id, p_number
    FROM jsonb_populate_recordset(NULL::ledger.reference, p_belongings -> 'references')
    ON CONFLICT DO NOTHING;
    -- What was booked here before the account left is in the journal already.
    INSERT INTO ledger.cash_elsewhere
    SELECT c.*
    FROM jsonb_populate_recordset(NULL::ledger.cash_elsewhere, p_belongings -> 'cash') AS c
    WHERE NOT EXISTS (SELECT FROM ledger.journal AS j WHERE j.id = c.id);
END
$$;

-- name: note_moved_v1
-- Note where an account lives that has moved `p_moves` times, unless a later move is known.
CREATE OR REPLACE FUNCTION ledger.note_moved_v1(p_number bigint, p_node text, p_moves integer)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    INSERT INTO ledger.moved AS m (account, node, moves) VALUES (p_number, p_node, p_moves)
    ON CONFLICT (account) DO UPDATE
    SET node = excluded.node, moves = excluded.moves, moved_at = clock_timestamp()
    WHERE m.moves < excluded.moves
$$;
