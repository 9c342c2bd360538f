-- Opening and governing accounts. Every change leaves an account event.

-- name: note_v1
-- Record what was done to an account.
CREATE OR REPLACE FUNCTION ledger.note_v1(
    p_account bigint, p_action text, p_client bigint, p_reason text, p_details jsonb
) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO ledger.account_event (account, action, client, reason, details)
    VALUES (p_account, p_action, p_client, p_reason, p_details)
$$;

-- name: mark_usual_v1
-- Bring `usual` up to what governs an account; the last step of every change of that.
CREATE OR REPLACE FUNCTION ledger.mark_usual_v1(p_number bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    UPDATE ledger.account
    SET usual = running AND status = 'open' AND daily_limit IS NULL AND transfer_limit IS NULL
        AND NOT payee_limits AND floor IS NOT DISTINCT FROM held - overdraft_limit
        AND purpose NOT IN ('loan', 'loan_dues')
    WHERE number = p_number
$$;

-- name: open_v1
-- Open an account at balance zero; false when the very same one is open already. p_side: +1 grows by
-- credit, -1 by debit. p_overdraft_limit NULL: no floor. Raises account_exists for another one under
-- this number.
CREATE OR REPLACE FUNCTION ledger.open_v1(
    p_number bigint, p_currency text, p_purpose text, p_side smallint, p_running boolean,
    p_overdraft_limit bigint, p_daily_limit bigint, p_client bigint
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.account (
        number, currency, purpose, side, running, overdraft_limit, daily_limit, floor
    ) VALUES (
        p_number, p_currency, p_purpose, p_side, p_running, p_overdraft_limit, p_daily_limit,
        - p_overdraft_limit
    )
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM ledger.mark_usual_v1(p_number);
        PERFORM ledger.note_v1(p_number, 'open', p_client, NULL, jsonb_build_object(
            'purpose', p_purpose, 'currency', p_currency, 'overdraft_limit', p_overdraft_limit,
            'daily_limit', p_daily_limit));
        RETURN true;
    END IF;
    IF NOT EXISTS (
        SELECT FROM ledger.account
        WHERE number = p_number AND currency = p_currency AND purpose = p_purpose
            AND side = p_side AND running = p_running AND status <> 'closed'
    ) THEN
        PERFORM ledger.refuse_v1(70);
    END IF;
    RETURN false;
END
$$;

-- name: set_holder_v1
-- Give a person rights on an account ('owner' or 'authorised'), or with NULL take them away.
CREATE OR REPLACE FUNCTION ledger.set_holder_v1(
    p_account bigint, p_user bigint, p_rights text, p_client bigint
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_status text;
BEGIN
    SELECT status INTO v_status FROM ledger.account WHERE number = p_account FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(71);
    ELSIF v_status = 'moved' THEN
        PERFORM ledger.refuse_v1(28);
    END IF;
    IF p_rights IS NULL THEN
        DELETE FROM ledger.holder WHERE account = p_account AND user_id = p_user;
    ELSE
        INSERT INTO ledger.holder (account, user_id, rights) VALUES (p_account, p_user, p_rights)
        ON CONFLICT (user_id, account) DO UPDATE SET rights = excluded.rights;
    END IF;
    PERFORM ledger.note_v1(
        p_account, 'set_holder', p_client, NULL,
        jsonb_build_object('user', p_user, 'rights', p_rights));
END
$$;

-- name: change_account_v1
-- Return an account, locked for a change of what governs it; raises unknown_account, account_moved or
-- account_closed.
CREATE OR REPLACE FUNCTION ledger.change_account_v1(p_number bigint) RETURNS ledger.account
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
BEGIN
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(71);
    ELSIF v_account.status = 'moved' THEN
        PERFORM ledger.refuse_v1(28);
    ELSIF v_account.status = 'closed' THEN
        PERFORM ledger.refuse_v1(72);
    END IF;
    RETURN v_account;
END
$$;

-- name: set_status_v1
-- Freeze, unfreeze ('open') or close an account; closing is for good and needs balance zero and no
-- open hold. Raises balance_not_zero, hold_open, invalid_status. A summed account cannot be closed.
CREATE OR REPLACE FUNCTION ledger.set_status_v1(
    p_number bigint, p_status text, p_client bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.change_account_v1(p_number);
BEGIN
    IF p_status IS NULL OR p_status NOT IN ('open', 'frozen', 'closed')
        OR p_status = 'closed' AND NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_status = 'closed' THEN
        PERFORM ledger.expire_held_v1(ARRAY[p_number]);
        SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
        IF v_account.held > 0 THEN
            PERFORM ledger.refuse_v1(74);
        ELSIF v_account.balance <> 0 THEN
            PERFORM ledger.refuse_v1(73);
        END IF;
    END IF;
    UPDATE ledger.account SET status = p_status WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(
        p_number, 'set_status', p_client, p_reason,
        jsonb_build_object('from', v_account.status, 'to', p_status));
END
$$;

-- name: set_limits_v1
-- Set what an account may owe (NULL: no floor) and spend in a day (NULL: any amount). A limit may be
-- set below what is owed already: then nothing more goes out, and nothing else happens. Raises
-- invalid_limit for one below zero.
CREATE OR REPLACE FUNCTION ledger.set_limits_v1(
    p_number bigint, p_overdraft_limit bigint, p_daily_limit bigint, p_client bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.change_account_v1(p_number);
BEGIN
    IF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_overdraft_limit < 0 OR p_daily_limit < 0 THEN
        PERFORM ledger.refuse_v1(76);
    END IF;
    UPDATE ledger.account
    SET
        overdraft_limit = p_overdraft_limit,
        daily_limit = p_daily_limit,
        floor = CASE WHEN p_overdraft_limit IS NOT NULL THEN least(held - p_overdraft_limit, balance) END
    WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(p_number, 'set_limits', p_client, p_reason, jsonb_build_object(
        'overdraft_limit', p_overdraft_limit, 'daily_limit', p_daily_limit,
        'overdraft_limit_before', v_account.overdraft_limit,
        'daily_limit_before', v_account.daily_limit));
END
$$;

-- name: set_payee_limit_v1
-- Set what an account may pay to one payee in a day; NULL lifts the limit. A summed account
-- has none: raises invalid_status. Raises invalid_limit for one below zero.
CREATE OR REPLACE FUNCTION ledger.set_payee_limit_v1(
    p_number bigint, p_payee bigint, p_daily_limit bigint, p_client bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.change_account_v1(p_number);
BEGIN
    IF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_daily_limit < 0 THEN
        PERFORM ledger.refuse_v1(76);
    END IF;
    IF p_daily_limit IS NULL THEN
        DELETE FROM ledger.payee_limit WHERE account = p_number AND payee = p_payee;
    ELSE
        INSERT INTO ledger.payee_limit (account, payee, daily_limit)
        VALUES (p_number, p_payee, p_daily_limit)
        ON CONFLICT (account, payee) DO UPDATE SET daily_limit = excluded.daily_limit;
    END IF;
    UPDATE ledger.account
    SET
        payee_limits = EXISTS (SELECT FROM ledger.payee_limit WHERE account = p_number)
    WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(
        v_account.number, 'set_payee_limit', p_client, p_reason,
        jsonb_build_object('payee', p_payee, 'daily_limit', p_daily_limit));
END
$$;
