-- Reversal: the opposite transfer, once, linked both ways. History is never edited.

-- name: legs_v1
-- Return the transfer of this id, or all legs of its group, newest first.
CREATE OR REPLACE FUNCTION ledger.legs_v1(p_transfer uuid) RETURNS SETOF ledger.journal
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    SELECT leg.*
    FROM ledger.journal AS asked
    INNER JOIN ledger.journal AS leg
        ON leg.id = asked.id
        OR leg.group_id = asked.group_id
        AND leg.id BETWEEN asked.group_id
        AND ledger.id_from_v1(ledger.id_time_v1(asked.group_id) + interval '1 second')
    WHERE asked.id = p_transfer
    ORDER BY leg.id DESC
$$;

-- name: reverse_v1
-- Reverse a transfer, or a whole group by any of its legs; answers with the id of the (first)
-- reversing transfer. Raises already_reversed, not_reversible (of a reversal, or with the other
-- end on another node), or what forbids the opposite transfer. Locks all accounts concerned in the order of their numbers.
CREATE OR REPLACE FUNCTION ledger.reverse_v1(
    p_client bigint, p_key text, p_transfer uuid, p_channel text, p_day date,
    p_memo text DEFAULT NULL, OUT reversal_id uuid, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_legs ledger.journal [];
    v_leg ledger.journal;
    v_request ledger.request;
    v_tick bigint;
    v_tail bigint := ledger.id_tail_v1();
    v_group uuid;
    v_id uuid;
BEGIN
    SELECT array_agg(leg ORDER BY leg.id DESC) INTO v_legs FROM ledger.legs_v1(p_transfer) AS leg;
    IF v_legs IS NULL THEN
        PERFORM ledger.refuse_v1(60);
    END IF;
    PERFORM ledger.queue_v1(VARIADIC ARRAY(
        SELECT unnest(ARRAY[leg.debit, leg.credit]) FROM unnest(v_legs) AS leg
    ));
    SELECT greatest(ledger.tick_v1(), max(last_tick) + 1) INTO v_tick
    FROM (
        SELECT last_tick FROM ledger.account
        WHERE running AND number IN (
            SELECT unnest(ARRAY[leg.debit, leg.credit]) FROM unnest(v_legs) AS leg
        )
        ORDER BY number
        FOR UPDATE
    ) AS locked;
    reversal_id := ledger.id_v1(v_tick, v_tail);
    v_request := ledger.claim_v1(
        p_client, p_key, ROW('reverse', p_transfer, p_memo)::text, reversal_id);
    replayed := v_request.key IS NOT NULL;
    IF replayed THEN
        reversal_id := v_request.result_id;
        RETURN;
    END IF;
    IF cardinality(v_legs) > 1 THEN
        v_group := reversal_id;
    END IF;
    FOREACH v_leg IN ARRAY v_legs LOOP
        IF v_leg.kind = 'reversal' OR v_leg.peer IS NOT NULL THEN
            PERFORM ledger.refuse_v1(62);
        END IF;
        v_id := ledger.id_v1(v_tick, v_tail);
        INSERT INTO ledger.reversal (original_id, reversal_id) VALUES (v_leg.id, v_id)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            PERFORM ledger.refuse_v1(61);
        END IF;
        PERFORM ledger.reverse_leg_v1(
            v_leg, v_tick, v_id, v_group, p_client, p_channel, p_day, p_memo);
        v_tick := v_tick + 1;
    END LOOP;
END
$$;

-- name: reverse_leg_v1
-- Write the opposite of one leg. The caller has locked both accounts.
CREATE OR REPLACE FUNCTION ledger.reverse_leg_v1(
    p_leg ledger.journal, p_tick bigint, p_id uuid, p_group uuid, p_client bigint, p_channel text,
    p_day date, p_memo text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_debit ledger.account := ledger.lock_account_v1(p_leg.credit);
    v_credit ledger.account := ledger.lock_account_v1(p_leg.debit);
BEGIN
    PERFORM ledger.move_v1(
        p_tick, p_id, v_debit, v_credit, p_leg.amount, v_debit.currency, p_client, 'reversal',
        p_channel, p_day, 0, 0, NULL, p_group, NULL, p_memo);
END
$$;
