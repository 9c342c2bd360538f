-- Closing a customer's account together with what it has earned. All in one transaction: interest that was
-- posted to an account which then stays open would count as its whole month's.

-- name: interest_left_v1
-- What an account has earned and nobody has posted, by month: p_months by their first days, with the
-- reference that each month's posting has. Days are named one by one: the key begins with them.
CREATE OR REPLACE FUNCTION ledger.interest_left_v1(
    p_number bigint, p_months date [], p_references text []
) RETURNS TABLE (month date, reference text, minor bigint)
LANGUAGE sql STABLE AS $$
    SELECT m.month, m.reference, ledger.interest_v1(sum(c.balance::numeric * c.rate_ppm))
    FROM unnest(p_months, p_references) AS m (month, reference)
    CROSS JOIN generate_series(0, 30) AS later (days)
    INNER JOIN ledger.accrual AS c ON c.day = m.month + later.days AND c.account = p_number
    WHERE date_trunc('month', m.month + later.days) = m.month
        AND NOT EXISTS (
            SELECT FROM ledger.reference AS r WHERE r.client = 0 AND r.reference = m.reference
        )
    GROUP BY m.month, m.reference
    HAVING ledger.interest_v1(sum(c.balance::numeric * c.rate_ppm)) > 0
    ORDER BY m.month
$$;

-- name: pay_interest_left_v1
-- Post to a locked account what interest_left_v1 tells, and answer with the sum. p_event_at is one instant
-- for each month. Raises debit_account_frozen when there is something and the account is frozen, and
-- serialization_failure when p_until has come: then a day may have been added meanwhile.
CREATE OR REPLACE FUNCTION ledger.pay_interest_left_v1(
    p_number bigint, p_expense bigint, p_until timestamptz, p_months date [], p_references text [],
    p_memos text [], p_event_at timestamptz []
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_tick bigint;
    v_place integer;
    v_left record;
    v_paid bigint := 0;
BEGIN
    FOR v_left IN SELECT * FROM ledger.interest_left_v1(p_number, p_months, p_references) LOOP
        SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
        IF v_account.status = 'frozen' THEN
            PERFORM ledger.refuse_v1(22);
        END IF;
        v_place := array_position(p_months, v_left.month);
        v_tick := greatest(ledger.tick_v1(), v_account.last_tick + 1);
        PERFORM ledger.move_v1(
            v_tick, ledger.id_v1(v_tick, ledger.id_tail_v1()), ledger.lock_account_v1(p_expense),
            v_account, v_left.minor, v_account.currency, 0, 'interest', 'bank', NULL, 0, 0,
            p_event_at[v_place], NULL, v_left.reference, p_memos[v_place]);
        v_paid := v_paid + v_left.minor;
    END LOOP;
    IF ledger.tick_v1() >= ledger.id_tick_v1(ledger.id_from_v1(p_until)) THEN
        RAISE SERIALIZATION_FAILURE USING MESSAGE = 'the day has turned';
    END IF;
    RETURN v_paid;
END
$$;

-- name: close_account_v1
-- Close an account for good, once for each key; false when it was done before. What it has earned until
-- then is posted and paid out to another account of this node, in the same transaction. Needs balance zero
-- besides, and no open hold. p_until is the end of the bank's day. Raises interest_due when there is
-- something to pay out and p_payout is NULL; what post and set_status raise; key_reused.
CREATE OR REPLACE FUNCTION ledger.close_account_v1(
    p_client bigint, p_key text, p_number bigint, p_reason text, p_payout bigint, p_payout_memo text,
    p_expense bigint, p_until timestamptz, p_months date [], p_references text [], p_memos text [],
    p_event_at timestamptz []
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account;
    v_payout ledger.account;
    v_before text;
    v_tick bigint;
    v_paid bigint;
BEGIN
    IF p_payout IS NULL THEN
        PERFORM ledger.lock_account_v1(p_number);
    ELSE
        v_payout := (ledger.lock_pair_v1(p_number, p_payout)).credit;
    END IF;
    PERFORM ledger.lock_change_v1(p_number);
    IF ledger.claim_change_v1(
        p_client, p_key,
        CASE
            WHEN p_payout IS NULL THEN ROW('set_status', p_number, 'closed', p_reason)::text
            ELSE ROW('set_status', p_number, 'closed', p_reason, p_payout)::text
        END,
        p_number
    ) IS NOT NULL THEN
        RETURN false;
    END IF;
    v_before := (ledger.change_account_v1(p_number)).status;
    v_paid := ledger.pay_interest_left_v1(
        p_number, p_expense, p_until, p_months, p_references, p_memos, p_event_at);
    IF v_paid > 0 AND p_payout IS NULL THEN
        PERFORM ledger.refuse_v1(77);
    ELSIF v_paid > 0 THEN
        SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
        v_tick := greatest(ledger.tick_v1(), v_account.last_tick + 1, v_payout.last_tick + 1);
        PERFORM ledger.move_v1(
            v_tick, ledger.id_v1(v_tick, ledger.id_tail_v1()), v_account, v_payout, v_paid,
            v_account.currency, p_client, 'transfer', 'bank', NULL, 0, 0, NULL, NULL, NULL,
            p_payout_memo);
    END IF;
    PERFORM ledger.expire_held_v1(ARRAY[p_number]);
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
    IF v_account.held > 0 THEN
        PERFORM ledger.refuse_v1(74);
    ELSIF v_account.balance <> 0 THEN
        PERFORM ledger.refuse_v1(73);
    ELSIF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    END IF;
    UPDATE ledger.account SET status = 'closed' WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    -- That the interest is named tells check_books that none of it was forgone.
    PERFORM ledger.note_v1(
        p_number, 'set_status', p_client, p_reason,
        jsonb_build_object('from', v_before, 'to', 'closed', 'interest', v_paid));
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION ledger.interest_left_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.pay_interest_left_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.close_account_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.close_account_v1 TO bank_app;
