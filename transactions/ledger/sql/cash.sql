-- Cash: what is paid in at a till or a machine of the node, and what is taken out there.

-- name: book_cash_v2
-- Book a deposit or a withdrawal of one customer's account against the cash of a till or a machine;
-- answers as post_fully_v1 does. The key stands for the account, the amount, the channel and the words:
-- not for the place, so that the same request is answered the same after the account has moved to
-- another branch with cash of its own. p_holder, when given, must hold rights on the account, whichever
-- side it is. p_most, when given, is what may move this way through p_channel in a day, this included:
-- counted from p_since, the instant the day began, on whatever node, under the account's lock.
CREATE OR REPLACE FUNCTION ledger.book_cash_v2(
    p_client bigint, p_key text, p_account bigint, p_cash bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_since timestamptz, p_most bigint,
    p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_out boolean := p_kind = 'withdrawal';
    v_debit bigint := CASE WHEN v_out THEN p_account ELSE p_cash END;
    v_credit bigint := CASE WHEN v_out THEN p_cash ELSE p_account END;
    v_pair record := ledger.lock_pair_v1(v_debit, v_credit);
    v_account ledger.account := CASE WHEN v_out THEN v_pair.debit ELSE v_pair.credit END;
    v_cash ledger.account := CASE WHEN v_out THEN v_pair.credit ELSE v_pair.debit END;
    v_request ledger.request;
    v_tick bigint := greatest(
        ledger.tick_v1(), v_account.last_tick + 1, v_cash.last_tick + 1);
BEGIN
    IF v_account.status = 'moved' THEN
        PERFORM ledger.refuse_v1(28);
    ELSIF v_account.number IS NULL OR p_holder IS NOT NULL AND NOT EXISTS (
        SELECT FROM ledger.holder WHERE user_id = p_holder AND account = p_account
    ) THEN
        PERFORM ledger.refuse_v1(CASE WHEN v_out THEN 20 ELSE 21 END);
    END IF;
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    -- What its predecessor answered stands under a hash with the place in it.
    SELECT * INTO v_request FROM ledger.request
    WHERE client = p_client AND key = p_key AND hash = sha256(convert_to(ROW(
        'post', v_debit, v_credit, p_amount, p_currency, p_kind, p_memo, NULL, NULL
    )::text, 'UTF8'));
    IF NOT FOUND THEN
        v_request := ledger.claim_v1(
            p_client, p_key,
            ROW('cash', p_account, p_amount, p_currency, p_kind, p_channel, p_memo)::text,
            transfer_id);
    END IF;
    replayed := v_request.key IS NOT NULL;
    IF replayed THEN
        transfer_id := v_request.result_id;
        SELECT j.debit_after, j.credit_after INTO debit_after, credit_after
        FROM ledger.journal AS j WHERE j.id = v_request.result_id;
        RETURN;
    ELSIF v_cash.number IS NULL THEN
        PERFORM ledger.refuse_v1(CASE WHEN v_account.currency = p_currency THEN 35 ELSE 27 END);
    ELSIF v_out AND v_cash.balance < p_amount THEN
        PERFORM ledger.refuse_v1(33);
    END IF;
    SELECT m.debit_after, m.credit_after INTO debit_after, credit_after
    FROM ledger.move_v1(
        v_tick, transfer_id, v_pair.debit, v_pair.credit, p_amount, p_currency, p_client, p_kind,
        p_channel, p_day, CASE WHEN ledger.is_spending_v1(p_kind) THEN p_amount ELSE 0 END, 0, NULL,
        NULL, NULL, p_memo) AS m;
    IF p_most < (
        SELECT sum(c.amount) FROM ledger.cash_booked AS c
        WHERE c.account = p_account AND c.kind = p_kind AND c.channel = p_channel
            AND c.id >= ledger.id_from_v1(p_since)
    ) THEN
        PERFORM ledger.refuse_v1(34);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION ledger.book_cash_v2 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.book_cash_v2 TO bank_app;
