-- What was answered before under a key, without asking for it again: for callers who cannot post, since
-- another node does not answer or refuses, and must not say that nothing was sent when it was.

-- name: answered_v1
-- Return the result of this very transfer asked for before by this client under this key; NULLs when it
-- never was. Waits for whoever is at the debit account, so that what is under way there is known.
-- Arguments as post_fully_v1. Raises key_reused. Writes nothing.
CREATE OR REPLACE FUNCTION ledger.answered_v1(
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_memo text DEFAULT NULL, p_reference text DEFAULT NULL,
    p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_request ledger.request;
BEGIN
    PERFORM ledger.lock_account_v1(p_debit);
    SELECT * INTO v_request FROM ledger.request WHERE client = p_client AND key = p_key;
    IF NOT FOUND THEN
        RETURN;
    ELSIF v_request.hash <> sha256(convert_to(ROW(
        'post', p_debit, p_credit, p_amount, p_currency, p_kind, p_memo, p_reference, p_event_at
    )::text, 'UTF8')) THEN
        PERFORM ledger.refuse_v1(41);
    END IF;
    transfer_id := v_request.result_id;
    SELECT j.debit_after, j.credit_after INTO debit_after, credit_after
    FROM ledger.journal AS j WHERE j.id = v_request.result_id;
END
$$;
REVOKE ALL ON FUNCTION ledger.answered_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.answered_v1 TO bank_app;

-- name: answered_batch_v1
-- Return the result of this very batch asked for before by this client under this key, as
-- post_batch_v1 answers; NULLs when it never was. Waits for the batch that is under way, if any.
-- Raises key_reused. Writes nothing.
CREATE OR REPLACE FUNCTION ledger.answered_batch_v1(
    p_client bigint, p_key text, p_accounts bigint [], p_debit integer [], p_credit integer [],
    p_amount bigint [], p_currency text [], p_kind text [], p_linked boolean [], p_memo text [],
    p_reference text [], p_event_at timestamptz [], p_peer bigint [],
    OUT first_id uuid, OUT refused_items integer [], OUT refused_codes smallint []
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_request ledger.request;
BEGIN
    PERFORM pg_advisory_xact_lock(7103, 1);
    SELECT * INTO v_request FROM ledger.request WHERE client = p_client AND key = p_key;
    IF NOT FOUND THEN
        RETURN;
    ELSIF v_request.hash <> ledger.batch_hash_v1(
        p_accounts, p_debit, p_credit, p_amount, p_currency, p_kind, p_linked, p_memo, p_reference,
        p_event_at, p_peer) THEN
        PERFORM ledger.refuse_v1(41);
    END IF;
    first_id := v_request.result_id;
    refused_items := v_request.refused_items;
    refused_codes := v_request.refused_codes;
END
$$;
REVOKE ALL ON FUNCTION ledger.answered_batch_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.answered_batch_v1 TO bank_app;
