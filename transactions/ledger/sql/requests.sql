-- Idempotency: one (client, key) posts once. The key is claimed in the posting's own transaction and
-- after its account locks, so that of many equal requests one posts and the others find its result.

-- name: claim_v1
-- Claim a key for the result `p_result_id`. Answers with the stored request when this one was answered
-- before, else with NULLs. Raises key_reused when the key stands for another request.
-- p_request is the request's text, the same for the same request and for no other.
CREATE OR REPLACE FUNCTION ledger.claim_v1(
    p_client bigint, p_key text, p_request text, p_result_id uuid
) RETURNS ledger.request
LANGUAGE plpgsql AS $$
DECLARE
    v_request ledger.request;
    v_hash bytea := sha256(convert_to(p_request, 'UTF8'));
BEGIN
    INSERT INTO ledger.request (client, key, hash, result_id)
    VALUES (p_client, p_key, v_hash, p_result_id)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO v_request FROM ledger.request WHERE client = p_client AND key = p_key;
        IF v_request.hash <> v_hash THEN
            PERFORM ledger.refuse_v1(41);
        END IF;
    END IF;
    RETURN v_request;
END
$$;

-- name: forget_requests_v1
-- Forget requests answered longer ago than `p_age`; answers with how many. Keys of money are kept for
-- at least 30 days: a smaller age is raised to that. Reads the whole table: once a day is enough.
CREATE OR REPLACE FUNCTION ledger.forget_requests_v1(p_age interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    WITH old AS (
        DELETE FROM ledger.request
        WHERE requested_at < now() - greatest(p_age, interval '30 days')
        RETURNING 1
    )
    SELECT count(*) FROM old
$$;
