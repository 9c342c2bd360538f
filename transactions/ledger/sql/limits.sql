-- Changing what an account may owe and spend, one limit or several, once for each request.

ALTER TABLE ledger.account ADD COLUMN IF NOT EXISTS transfer_limit ledger.not_negative;
COMMENT ON COLUMN ledger.account.transfer_limit IS
'the most that one transfer may spend; NULL: any amount';
COMMENT ON COLUMN ledger.account.usual IS
'running, open, without limits of spending, floor exactly by what is held and the overdraft limit: all '
'that post_v1 asks of an account';

-- name: set_limits_v2
-- Set those limits of an account that p_limits names (overdraft_limit, daily_limit, transfer_limit; null:
-- none), once for each key; false when it was done before. With p_is_lowering none is raised: the lower
-- one of old and new holds. As in v1, a limit may be set below what is owed or spent already. Raises
-- unknown_account, account_moved, account_closed, key_reused, invalid_status for a summed account, and
-- invalid_limit for a limit below zero.
CREATE OR REPLACE FUNCTION ledger.set_limits_v2(
    p_client bigint, p_key text, p_number bigint, p_limits jsonb, p_is_lowering boolean, p_reason text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_before ledger.account;
    v_after ledger.account;
BEGIN
    PERFORM ledger.lock_change_v1(p_number);
    IF ledger.claim_change_v1(
        p_client, p_key,
        ROW('set_limits', p_number, p_limits, p_is_lowering, p_reason)::text,
        p_number
    ) IS NOT NULL THEN
        RETURN false;
    END IF;
    v_before := ledger.change_account_v1(p_number);
    IF NOT v_before.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_limits - ARRAY['overdraft_limit', 'daily_limit', 'transfer_limit'] <> '{}'
        OR EXISTS (SELECT FROM jsonb_each_text(p_limits) AS l WHERE l.value::bigint < 0) THEN
        PERFORM ledger.refuse_v1(76);
    END IF;
    v_after := jsonb_populate_record(v_before, p_limits);
    IF p_is_lowering THEN
        -- Of null and a limit, least() takes the limit.
        v_after.overdraft_limit := least(v_before.overdraft_limit, v_after.overdraft_limit);
        v_after.daily_limit := least(v_before.daily_limit, v_after.daily_limit);
        v_after.transfer_limit := least(v_before.transfer_limit, v_after.transfer_limit);
    END IF;
    UPDATE ledger.account
    SET
        overdraft_limit = v_after.overdraft_limit,
        daily_limit = v_after.daily_limit,
        transfer_limit = v_after.transfer_limit,
        floor = CASE
            WHEN v_after.overdraft_limit IS NOT NULL
            THEN least(held - v_after.overdraft_limit, balance)
        END
    WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(p_number, 'set_limits', p_client, p_reason, jsonb_build_object(
        'overdraft_limit', v_after.overdraft_limit, 'daily_limit', v_after.daily_limit,
        'transfer_limit', v_after.transfer_limit,
        'overdraft_limit_before', v_before.overdraft_limit,
        'daily_limit_before', v_before.daily_limit,
        'transfer_limit_before', v_before.transfer_limit));
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION ledger.set_limits_v2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.set_limits_v2 TO bank_app;
