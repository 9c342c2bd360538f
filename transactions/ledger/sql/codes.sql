-- Why something was refused. A single request raises the SQLSTATE BKnnn, a batch answers with the
-- number for the item. transactions/ledger/codes.py lists the same, and a test compares them.

CREATE OR REPLACE FUNCTION ledger.code_name_v1(p_code smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_code
    WHEN 1 THEN 'linked_item_refused'
    WHEN 2 THEN 'linked_chain_open'
    WHEN 10 THEN 'invalid_amount'
    WHEN 11 THEN 'amount_too_large'
    WHEN 12 THEN 'same_account'
    WHEN 20 THEN 'unknown_debit_account'
    WHEN 21 THEN 'unknown_credit_account'
    WHEN 22 THEN 'debit_account_frozen'
    WHEN 23 THEN 'credit_account_frozen'
    WHEN 24 THEN 'debit_account_closed'
    WHEN 25 THEN 'credit_account_closed'
    WHEN 26 THEN 'currencies_differ'
    WHEN 27 THEN 'wrong_currency'
    WHEN 28 THEN 'account_moved'
    WHEN 29 THEN 'loan_needs_repayment'
    WHEN 30 THEN 'insufficient_funds'
    WHEN 31 THEN 'daily_limit_exceeded'
    WHEN 32 THEN 'payee_limit_exceeded'
    WHEN 33 THEN 'insufficient_cash'
    WHEN 34 THEN 'cash_limit_exceeded'
    WHEN 35 THEN 'no_cash_in_currency'
    WHEN 36 THEN 'transfer_limit_exceeded'
    WHEN 40 THEN 'duplicate_reference'
    WHEN 41 THEN 'key_reused'
    WHEN 42 THEN 'long_way'
    WHEN 50 THEN 'unknown_hold'
    WHEN 51 THEN 'hold_not_open'
    WHEN 52 THEN 'hold_expired'
    WHEN 53 THEN 'capture_exceeds_hold'
    WHEN 60 THEN 'unknown_transfer'
    WHEN 61 THEN 'already_reversed'
    WHEN 62 THEN 'not_reversible'
    WHEN 70 THEN 'account_exists'
    WHEN 71 THEN 'unknown_account'
    WHEN 72 THEN 'account_closed'
    WHEN 73 THEN 'balance_not_zero'
    WHEN 74 THEN 'hold_open'
    WHEN 75 THEN 'invalid_status'
    WHEN 76 THEN 'invalid_limit'
    WHEN 77 THEN 'interest_due'
    WHEN 80 THEN 'batch_empty'
    WHEN 81 THEN 'batch_too_large'
    WHEN 82 THEN 'batch_malformed'
    WHEN 83 THEN 'invalid_expiry'
    WHEN 84 THEN 'instant_in_future'
    WHEN 90 THEN 'append_only'
    WHEN 91 THEN 'other_cluster'
END;

-- name: refuse_v1
-- Raise the refusal `p_code`; the message is its name.
CREATE OR REPLACE FUNCTION ledger.refuse_v1(p_code integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = ledger.code_name_v1(p_code::smallint),
        ERRCODE = 'BK' || lpad(p_code::text, 3, '0');
END
$$;
