-- Transfers between two nodes, each node's part. The source's transaction holds its leg and the
-- decision; the destination's is prepared before the source commits. Each leg stands against a summed
-- clearing account of the pair, so that every node's books balance at every instant.

-- name: send_fully_v1
-- Pay from an account of any kind to an account of another node, as send_v1 says.
CREATE OR REPLACE FUNCTION ledger.send_fully_v1(
    p_id uuid, p_attempt smallint, p_destination text, p_clearing bigint,
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    v_pair record;
    v_debit ledger.account;
    v_request ledger.request;
    v_tick bigint;
BEGIN
    v_pair := ledger.lock_pair_v1(p_debit, p_clearing);
    v_debit := v_pair.debit;
    PERFORM ledger.check_holder_v1(p_holder, p_debit);
    v_tick := greatest(ledger.tick_v1(), v_debit.last_tick + 1);
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    replayed := false;
    IF p_key IS NOT NULL THEN
        -- The request is the customer's, and the same however the accounts lie.
        v_request := ledger.claim_v1(
            p_client, p_key,
            ROW(
                'post', p_debit, p_credit, p_amount, p_currency, p_kind, p_memo, p_reference,
                p_event_at
            )::text,
            transfer_id);
        IF v_request.key IS NOT NULL THEN
            replayed := true;
            transfer_id := v_request.result_id;
            SELECT j.debit_after INTO debit_after
            FROM ledger.journal AS j WHERE j.id = v_request.result_id;
            RETURN;
        END IF;
    END IF;
    INSERT INTO ledger.decision (id, attempt, state, destination, transfer_id)
    VALUES (p_id, p_attempt, 'committed', p_destination, send_fully_v1.transfer_id);
    SELECT m.debit_after INTO debit_after
    FROM ledger.move_v1(
        v_tick, transfer_id, v_debit, v_pair.credit, p_amount, p_currency, p_client, p_kind,
        p_channel, p_day, CASE WHEN ledger.is_spending_v1(p_kind) THEN p_amount ELSE 0 END, 0,
        p_event_at, NULL, p_reference, p_memo, p_credit) AS m;
END
$$;

-- name: send_v1
-- Pay to an account of another node: post the debit leg and decide. Answers as post_v1 does, or with
-- the result of the same request before (`replayed`); then nothing is written and nothing may arrive.
-- p_clearing is the clearing account with the destination, p_credit the payee there. Raises what post
-- raises, and a violation of decision_pkey when the attempt was given up for lost meanwhile.
-- Until its transaction ends, nobody can take a position over all nodes. The usual transfer, as of
-- post_v1, is posted here, by few and plain statements; send_fully_v1 posts the others, and refuses.
-- A key that somebody else claims at this moment for another account breaks request_pkey. The clock is
-- read by the update: whoever takes a day's balances waits for who is at the accounts by then.
CREATE OR REPLACE FUNCTION ledger.send_v1(
    p_id uuid, p_attempt smallint, p_destination text, p_clearing bigint,
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_tick bigint;
    v_spend bigint := CASE WHEN ledger.is_spending_v1(p_kind) THEN p_amount ELSE 0 END;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7103, 3);
    IF p_holder IS NOT NULL THEN
        PERFORM ledger.check_holder_v1(p_holder, p_debit);
    END IF;
    PERFORM pg_advisory_xact_lock(p_debit);
    IF p_amount BETWEEN 1 AND 1000000000000000 AND p_reference IS NULL THEN
        UPDATE ledger.account
        SET
            balance = balance - side * p_amount,
            spent = v_spend + CASE WHEN v_spend > 0 AND spent_day < p_day THEN 0 ELSE spent END,
            spent_day = CASE WHEN v_spend > 0 THEN greatest(spent_day, p_day) ELSE spent_day END,
            last_tick = greatest(last_tick + 1, ledger.tick_v1())
        WHERE number = p_debit AND usual AND currency = p_currency
            AND (balance - side * p_amount >= floor) IS NOT FALSE
            AND abs(balance - side * p_amount) <= 9000000000000000000
            AND NOT EXISTS (SELECT FROM ledger.request WHERE client = p_client AND key = p_key)
            AND EXISTS (
                SELECT FROM ledger.account AS c
                WHERE c.number = p_clearing AND NOT c.running AND c.status = 'open'
                    AND c.currency = p_currency
            )
        RETURNING balance, last_tick INTO debit_after, v_tick;
    END IF;
    IF debit_after IS NULL THEN
        SELECT s.transfer_id, s.debit_after, s.replayed INTO transfer_id, debit_after, replayed
        FROM ledger.send_fully_v1(
            p_id, p_attempt, p_destination, p_clearing, p_client, p_key, p_debit, p_credit, p_amount,
            p_currency, p_kind, p_channel, p_day, p_holder, p_memo, p_reference, p_event_at) AS s;
        RETURN;
    END IF;
    replayed := false;
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    INSERT INTO ledger.decision (id, attempt, state, destination, transfer_id)
    VALUES (p_id, p_attempt, 'committed', p_destination, send_v1.transfer_id);
    INSERT INTO ledger.journal (
        id, xid, debit, credit, amount, debit_after, client, event_at, kind, channel, memo, peer
    ) VALUES (
        send_v1.transfer_id, pg_current_xact_id(), p_debit, p_clearing, p_amount, send_v1.debit_after,
        p_client, coalesce(p_event_at, clock_timestamp()), p_kind, p_channel, p_memo, p_credit
    );
    IF p_key IS NOT NULL THEN
        INSERT INTO ledger.request (client, key, hash, result_id)
        VALUES (
            p_client, p_key,
            sha256(convert_to(ROW(
                'post', p_debit, p_credit, p_amount, p_currency, p_kind, p_memo, p_reference,
                p_event_at
            )::text, 'UTF8')),
            send_v1.transfer_id);
    END IF;
END
$$;

-- name: receive_fully_v1
-- Take on an account of any kind what an account of another node pays, as receive_v1 says.
CREATE OR REPLACE FUNCTION ledger.receive_fully_v1(
    p_id uuid, p_attempt smallint, p_source text, p_clearing bigint, p_client bigint, p_debit bigint,
    p_credit bigint, p_amount bigint, p_currency text, p_kind text, p_channel text,
    p_memo text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT credit_after bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    v_pair record;
    v_credit ledger.account;
    v_tick bigint;
BEGIN
    v_pair := ledger.lock_pair_v1(p_clearing, p_credit);
    v_credit := v_pair.credit;
    v_tick := greatest(ledger.tick_v1(), v_credit.last_tick + 1);
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    INSERT INTO ledger.arrival (id, attempt, source, transfer_id)
    VALUES (p_id, p_attempt, p_source, receive_fully_v1.transfer_id);
    SELECT m.credit_after INTO credit_after
    FROM ledger.move_v1(
        v_tick, transfer_id, v_pair.debit, v_credit, p_amount, p_currency, p_client, p_kind,
        p_channel, NULL, 0, 0, p_event_at, NULL, NULL, p_memo, p_debit) AS m;
END
$$;

-- name: receive_v1
-- Take what an account of another node pays: post the credit leg, once for each transfer. p_clearing is
-- the clearing account with the source, p_debit the payer there. Raises what forbids the transfer, and
-- a violation of arrival_pkey when it is here already.
-- The usual one, as of post_v1, is posted here, by few and plain statements; receive_fully_v1 posts the
-- others, and refuses.
CREATE OR REPLACE FUNCTION ledger.receive_v1(
    p_id uuid, p_attempt smallint, p_source text, p_clearing bigint, p_client bigint, p_debit bigint,
    p_credit bigint, p_amount bigint, p_currency text, p_kind text, p_channel text,
    p_memo text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT credit_after bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_tick bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(p_credit);
    IF p_amount BETWEEN 1 AND 1000000000000000 THEN
        UPDATE ledger.account
        SET balance = balance + side * p_amount, last_tick = greatest(last_tick + 1, ledger.tick_v1())
        WHERE number = p_credit AND usual AND currency = p_currency
            AND (balance + side * p_amount >= floor) IS NOT FALSE
            AND abs(balance + side * p_amount) <= 9000000000000000000
            AND EXISTS (
                SELECT FROM ledger.account AS c
                WHERE c.number = p_clearing AND NOT c.running AND c.status = 'open'
                    AND c.currency = p_currency
            )
        RETURNING balance, last_tick INTO credit_after, v_tick;
    END IF;
    IF credit_after IS NULL THEN
        SELECT r.transfer_id, r.credit_after INTO transfer_id, credit_after
        FROM ledger.receive_fully_v1(
            p_id, p_attempt, p_source, p_clearing, p_client, p_debit, p_credit, p_amount, p_currency,
            p_kind, p_channel, p_memo, p_event_at) AS r;
        RETURN;
    END IF;
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    INSERT INTO ledger.arrival (id, attempt, source, transfer_id)
    VALUES (p_id, p_attempt, p_source, receive_v1.transfer_id);
    INSERT INTO ledger.journal (
        id, xid, debit, credit, amount, credit_after, client, event_at, kind, channel, memo, peer
    ) VALUES (
        receive_v1.transfer_id, pg_current_xact_id(), p_clearing, p_credit, p_amount,
        receive_v1.credit_after, p_client, coalesce(p_event_at, clock_timestamp()), p_kind, p_channel, p_memo,
        p_debit
    );
END
$$;

-- name: send_batch_v1
-- Pay a batch to accounts of one other node: post_batch_v1 against the clearing account, and decide
-- once. Answers as it does. Nothing is decided when it is replayed or no item is left.
CREATE OR REPLACE FUNCTION ledger.send_batch_v1(
    p_id uuid, p_attempt smallint, p_destination text,
    p_client bigint, p_key text, p_accounts bigint [], p_debit integer [], p_credit integer [],
    p_amount bigint [], p_currency text [], p_kind text [], p_channel text, p_day date,
    p_holder bigint, p_linked boolean [], p_memo text [], p_reference text [],
    p_event_at timestamptz [], p_peer bigint [], p_refused smallint [],
    OUT first_id uuid, OUT refused_items integer [], OUT refused_codes smallint [],
    OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7103, 3);
    SELECT b.first_id, b.refused_items, b.refused_codes, b.replayed
    INTO first_id, refused_items, refused_codes, replayed
    FROM ledger.post_batch_v1(
        p_client, p_key, p_accounts, p_debit, p_credit, p_amount, p_currency, p_kind, p_channel,
        p_day, p_holder, p_linked, p_memo, p_reference, p_event_at, p_peer, p_refused) AS b;
    IF NOT replayed AND coalesce(cardinality(refused_items), 0) < cardinality(p_amount) THEN
        INSERT INTO ledger.decision (id, attempt, state, destination, transfer_id)
        VALUES (p_id, p_attempt, 'committed', p_destination, send_batch_v1.first_id);
    END IF;
END
$$;

-- name: receive_batch_v1
-- Take a batch that accounts of one other node pay; answers as post_batch_v1 does. Items of p_refused
-- were refused there. Leaves the batch lock alone.
CREATE OR REPLACE FUNCTION ledger.receive_batch_v1(
    p_id uuid, p_attempt smallint, p_source text,
    p_client bigint, p_accounts bigint [], p_debit integer [], p_credit integer [],
    p_amount bigint [], p_currency text [], p_kind text [], p_channel text, p_day date,
    p_linked boolean [], p_memo text [], p_event_at timestamptz [], p_peer bigint [],
    p_refused smallint [],
    OUT first_id uuid, OUT refused_items integer [], OUT refused_codes smallint []
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    SELECT b.first_id, b.refused_items, b.refused_codes
    INTO first_id, refused_items, refused_codes
    FROM ledger.post_batch_v1(
        p_client, NULL, p_accounts, p_debit, p_credit, p_amount, p_currency, p_kind, p_channel,
        p_day, NULL, p_linked, p_memo, NULL, p_event_at, p_peer, p_refused, false) AS b;
    INSERT INTO ledger.arrival (id, attempt, source, transfer_id)
    VALUES (p_id, p_attempt, p_source, receive_batch_v1.first_id);
END
$$;

-- name: fence_v1
-- Give an attempt up for lost, unless it is decided. The outcome is then read in a statement of its own:
-- this one waits for a coordinator that is still at it, and sees nothing of what it waited for.
CREATE OR REPLACE FUNCTION ledger.fence_v1(p_id uuid, p_attempt smallint) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    INSERT INTO ledger.decision (id, attempt, state) VALUES (p_id, p_attempt, 'aborted')
    ON CONFLICT DO NOTHING
$$;

-- name: beat_v1
-- Move the node's heartbeat on.
CREATE OR REPLACE FUNCTION ledger.beat_v1(p_node text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    INSERT INTO ledger.pulse (node) VALUES (p_node)
    ON CONFLICT (node) DO UPDATE SET beat_at = clock_timestamp()
$$;

-- name: swept_v1
-- Note that the node's prepared transactions have been looked at.
CREATE OR REPLACE FUNCTION ledger.swept_v1(p_node text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    INSERT INTO ledger.pulse (node, swept_at) VALUES (p_node, clock_timestamp())
    ON CONFLICT (node) DO UPDATE SET swept_at = clock_timestamp()
$$;
