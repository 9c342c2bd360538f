-- What was answered to transfers of a batch that were sent after accounts which have moved: it stands for
-- good, and so moves along with the payer's account, also where nothing was posted.

COMMENT ON COLUMN ledger.request.account IS
'the account with which this came from another node, where the result is, or will leave this one though '
'nothing was posted; NULL: answered here';

-- name: keep_chain_v1
-- Let the answer to a chain stand, in the transaction in which post_batch_v1 or send_batch_v1 gave it:
-- p_codes are its refusals (NULL: none), p_payer the account that pays first. That an account has moved
-- is no answer: raises account_moved, and so nothing is kept.
CREATE OR REPLACE FUNCTION ledger.keep_chain_v1(
    p_client bigint, p_key text, p_payer bigint, p_codes smallint []
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    IF 28 = ANY(p_codes) OR EXISTS (
        SELECT FROM ledger.account WHERE number = p_payer AND status = 'moved'
    ) THEN
        PERFORM ledger.refuse_v1(28);
    END IF;
    UPDATE ledger.request SET account = p_payer
    WHERE client = p_client AND key = p_key AND refused_codes IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION ledger.keep_chain_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.keep_chain_v1 TO bank_app;
