-- Customers' accounts: opening them and changing them, once for each request; and how the head office
-- learns of it. The head office has copies of status and holders; what stands here counts.

-- Readers of the events stand at a transaction id, as those of the journal do, see tails.sql.
ALTER TABLE ledger.account_event ADD COLUMN IF NOT EXISTS xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX IF NOT EXISTS account_event_xid ON ledger.account_event (xid);

-- name: account_result_v1
-- The result of a request that is an account.
CREATE OR REPLACE FUNCTION ledger.account_result_v1(p_number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('00000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid;

-- name: account_in_v1
-- The account that is the result of a request; NULL when that is something else.
CREATE OR REPLACE FUNCTION ledger.account_in_v1(p_result uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN p_result::text ~ '^00000000-0000-0000-0000-[0-9]{12}$' THEN right(p_result::text, 12)::bigint
END;

-- name: claim_change_v1
-- Claim a key for a change of an account. Answers with the account when the same was asked for and done
-- before, else with NULL. Without a key nothing is claimed. Raises key_reused.
CREATE OR REPLACE FUNCTION ledger.claim_change_v1(
    p_client bigint, p_key text, p_request text, p_number bigint
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_request ledger.request;
BEGIN
    IF p_key IS NOT NULL THEN
        v_request := ledger.claim_v1(
            p_client, p_key, p_request, ledger.account_result_v1(p_number));
    END IF;
    RETURN ledger.account_in_v1(v_request.result_id);
END
$$;

-- name: lock_change_v1
-- Lock an account for a change, before its key is claimed. Raises account_moved where it lives no more.
CREATE OR REPLACE FUNCTION ledger.lock_change_v1(p_number bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
BEGIN
    SELECT status INTO v_status FROM ledger.account WHERE number = p_number FOR UPDATE;
    IF v_status = 'moved' THEN
        PERFORM ledger.refuse_v1(28);
    END IF;
END
$$;

-- name: open_customer_v1
-- Open a customer's account at balance zero, with its owner if there is one yet; answers with its
-- number: that of the first time when the same is asked for again. p_identity (product, name,
-- external_reference) and p_opened_at are for the head office, which learns them from the event.
-- Raises account_exists when the number is taken, key_reused.
CREATE OR REPLACE FUNCTION ledger.open_customer_v1(
    p_client bigint, p_key text, p_number bigint, p_currency text, p_overdraft_limit bigint,
    p_owner bigint, p_identity jsonb, p_opened_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_opened bigint := ledger.claim_change_v1(
        p_client, p_key,
        ROW(
            'open', p_number / 1000000000, p_currency, p_overdraft_limit, p_owner, p_identity
        )::text,
        p_number);
BEGIN
    IF v_opened IS NOT NULL THEN
        RETURN v_opened;
    END IF;
    INSERT INTO ledger.account (number, currency, purpose, side, running, overdraft_limit, floor)
    VALUES (p_number, p_currency, 'customer', 1, true, p_overdraft_limit, - p_overdraft_limit)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(70);
    END IF;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(p_number, 'open', p_client, NULL, p_identity || jsonb_build_object(
        'purpose', 'customer', 'currency', p_currency, 'overdraft_limit', p_overdraft_limit,
        'opened_at', p_opened_at));
    IF p_owner IS NOT NULL THEN
        PERFORM ledger.set_holder_v1(p_number, p_owner, 'owner', p_client);
    END IF;
    RETURN p_number;
END
$$;

-- name: set_status_v2
-- Do as set_status_v1 does, once for each key; false when it was done before. Raises account_moved and
-- key_reused, too.
CREATE OR REPLACE FUNCTION ledger.set_status_v2(
    p_client bigint, p_key text, p_number bigint, p_status text, p_reason text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ledger.lock_change_v1(p_number);
    IF ledger.claim_change_v1(
        p_client, p_key, ROW('set_status', p_number, p_status, p_reason)::text, p_number
    ) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM ledger.set_status_v1(p_number, p_status, p_client, p_reason);
    RETURN true;
END
$$;

-- name: set_holder_v2
-- Do as set_holder_v1 does, once for each key and under the account's lock; false when it was done
-- before. Raises unknown_account, account_moved, account_closed, key_reused.
CREATE OR REPLACE FUNCTION ledger.set_holder_v2(
    p_client bigint, p_key text, p_account bigint, p_user bigint, p_rights text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ledger.lock_change_v1(p_account);
    IF ledger.claim_change_v1(
        p_client, p_key, ROW('set_holder', p_account, p_user, p_rights)::text, p_account
    ) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM ledger.change_account_v1(p_account);
    PERFORM ledger.set_holder_v1(p_account, p_user, p_rights, p_client);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION ledger.account_result_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.account_in_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.claim_change_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.lock_change_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.open_customer_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.set_status_v2 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.set_holder_v2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.account_in_v1 TO bank_app, bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.open_customer_v1 TO bank_app;
GRANT EXECUTE ON FUNCTION ledger.set_status_v2 TO bank_app;
GRANT EXECUTE ON FUNCTION ledger.set_holder_v2 TO bank_app;
