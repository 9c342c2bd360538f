-- Posting many transfers in one statement, in order: earlier items count for later ones, linked items
-- stand or fall together, and each refused item has its code. Decided one by one in memory, written
-- in sets.

-- name: check_batch_v1
-- Raise unless a batch has its right shape: 1 to 10,000 items, arrays of equal length (NULL: left
-- out), accounts in ascending order, each once.
CREATE OR REPLACE FUNCTION ledger.check_batch_v1(
    p_items integer, p_lengths integer [], p_accounts bigint []
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_items IS NULL OR p_items = 0 THEN
        PERFORM ledger.refuse_v1(80);
    ELSIF p_items > 10000 THEN
        PERFORM ledger.refuse_v1(81);
    ELSIF p_accounts IS NULL OR EXISTS (
        SELECT FROM unnest(p_lengths) AS t (length) WHERE length <> p_items
    ) OR EXISTS (
        SELECT FROM (
            SELECT number > lag(number) OVER () AS ascending FROM unnest(p_accounts) AS u (number)
        ) AS steps
        WHERE NOT ascending
    ) THEN
        PERFORM ledger.refuse_v1(82);
    END IF;
END
$$;

-- name: reference_twins_v1
-- For each item: 0 where its reference was used before, else the item before it with the same one.
CREATE OR REPLACE FUNCTION ledger.reference_twins_v1(p_client bigint, p_reference text []) RETURNS integer []
LANGUAGE sql STABLE AS $$
    SELECT array_agg(
        CASE
            WHEN item.reference IS NULL THEN NULL
            WHEN r.reference IS NOT NULL THEN 0
            ELSE item.twin
        END::integer ORDER BY item.n
    )
    FROM (
        SELECT n, reference, lag(n) OVER (PARTITION BY reference ORDER BY n) AS twin
        FROM unnest(p_reference) WITH ORDINALITY AS t (reference, n)
    ) AS item
    LEFT JOIN ledger.reference AS r ON r.client = p_client AND r.reference = item.reference
$$;

-- name: batch_hash_v1
-- The hash of what a batch asks for, the same for the same batch and for no other. What is left out adds
-- nothing: an array says of which type it is, and so which one it is. Memos and references are of one
-- type, hence the mark before references without memos; no array begins like that.
CREATE OR REPLACE FUNCTION ledger.batch_hash_v1(
    p_accounts bigint [], p_debit integer [], p_credit integer [], p_amount bigint [],
    p_currency text [], p_kind text [], p_linked boolean [], p_memo text [], p_reference text [],
    p_event_at timestamptz [], p_peer bigint []
) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(
    array_send(p_accounts) || array_send(p_debit) || array_send(p_credit) || array_send(p_amount)
    || array_send(p_currency) || array_send(p_kind) || coalesce(array_send(p_linked), '\x')
    || CASE WHEN p_memo IS NULL AND p_reference IS NOT NULL THEN '\xff' ELSE '\x' END::bytea
    || coalesce(array_send(p_memo), '\x') || coalesce(array_send(p_reference), '\x')
    || coalesce(array_send(p_event_at), '\x') || coalesce(array_send(p_peer), '\x'));

-- name: post_batch_v1
-- Post up to 10,000 transfers under one key; answers with the id of the first item and, of the refused
-- ones alone, their places and codes. Item n has the id of the first one's tick + n - 1.
-- p_accounts lists each account once, in ascending order; p_debit and p_credit are places in it. All
-- arrays count from 1, and p_linked, p_memo, p_reference, p_event_at may be NULL as a whole. An item
-- with p_linked belongs together with the next one, and linked items are a group. p_day and p_holder
-- as in post_v1. Takes the node's batch lock, then the accounts in the order of their numbers.
-- Of a batch between two nodes: p_peer are the accounts at the other end; items of p_refused (codes,
-- 0: none) were refused there, and are here; without p_in_turn the batch lock is left alone, since a
-- prepared transaction would keep it.
CREATE OR REPLACE FUNCTION ledger.post_batch_v1(
    p_client bigint, p_key text, p_accounts bigint [], p_debit integer [], p_credit integer [],
    p_amount bigint [], p_currency text [], p_kind text [], p_channel text, p_day date,
    p_holder bigint DEFAULT NULL, p_linked boolean [] DEFAULT NULL, p_memo text [] DEFAULT NULL,
    p_reference text [] DEFAULT NULL, p_event_at timestamptz [] DEFAULT NULL,
    p_peer bigint [] DEFAULT NULL, p_refused smallint [] DEFAULT NULL,
    p_in_turn boolean DEFAULT true,
    OUT first_id uuid, OUT refused_items integer [], OUT refused_codes smallint [],
    OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_mergejoin = off AS $$
DECLARE
    v_items CONSTANT integer := cardinality(p_amount);
    v_hash CONSTANT bytea := ledger.batch_hash_v1(
        p_accounts, p_debit, p_credit, p_amount, p_currency, p_kind, p_linked, p_memo, p_reference,
        p_event_at, p_peer);
    v_request ledger.request;
    v_now timestamptz;
    v_tick bigint;
    v_tail bigint;
    v_held boolean;
    v_any_payees boolean;
    v_accepted integer := 0;
    -- One value for each account; the balance of a summed one is NULL and stays so.
    v_balance bigint [];
    v_low bigint [];
    v_side smallint [];
    v_status text [];
    v_currency text [];
    v_spent bigint [];
    v_daily bigint [];
    v_most bigint [];
    v_payees boolean [];
    v_loans boolean [];
    v_denied boolean [];
    -- One value for each item.
    v_code smallint [] := array_fill(0::smallint, ARRAY[v_items]);
    v_debit_after bigint [] := array_fill(NULL::bigint, ARRAY[v_items]);
    v_credit_after bigint [] := array_fill(NULL::bigint, ARRAY[v_items]);
    v_group integer [];
    v_twin integer [];
    -- The item at hand and the chain it stands in.
    d integer;
    c integer;
    v_amount bigint;
    v_spend bigint;
    v_new_debit bigint;
    v_new_credit bigint;
    v_result integer;
    v_earlier integer;
    v_chain integer;
    v_chain_refused boolean := false;
BEGIN
    PERFORM ledger.check_batch_v1(
        v_items,
        ARRAY[
            coalesce(cardinality(p_debit), 0), coalesce(cardinality(p_credit), 0),
            coalesce(cardinality(p_currency), 0), coalesce(cardinality(p_kind), 0),
            cardinality(p_linked), cardinality(p_memo), cardinality(p_reference),
            cardinality(p_event_at), cardinality(p_peer), cardinality(p_refused)
        ],
        p_accounts);
    IF p_in_turn THEN
        PERFORM pg_advisory_xact_lock(7103, 1);
    END IF;
    SELECT bool_or(held > 0), bool_or(payee_limits), max(last_tick)
    INTO v_held, v_any_payees, v_tick
    FROM (
        SELECT held, payee_limits, last_tick FROM ledger.account
        WHERE number = ANY(p_accounts) AND running
        ORDER BY number
        FOR UPDATE
    ) AS locked;
    replayed := false;
    SELECT * INTO v_request FROM ledger.request WHERE client = p_client AND key = p_key;
    IF FOUND THEN
        IF v_request.hash <> v_hash THEN
            PERFORM ledger.refuse_v1(41);
        END IF;
        first_id := v_request.result_id;
        refused_items := v_request.refused_items;
        refused_codes := v_request.refused_codes;
        replayed := true;
        RETURN;
    END IF;
    IF v_held THEN
        PERFORM ledger.expire_held_v1(p_accounts);
    END IF;
    SELECT
        array_agg(CASE WHEN running THEN balance END ORDER BY k),
        array_agg(held - overdraft_limit ORDER BY k),
        array_agg(side ORDER BY k),
        array_agg(status ORDER BY k),
        array_agg(currency ORDER BY k),
        array_agg(CASE WHEN spent_day < p_day THEN 0 ELSE spent END ORDER BY k),
        array_agg(daily_limit ORDER BY k),
        array_agg(transfer_limit ORDER BY k),
        array_agg(payee_limits ORDER BY k),
        array_agg(purpose IN ('loan', 'loan_dues') ORDER BY k),
        array_agg(p_holder IS NOT NULL AND NOT EXISTS (
            SELECT FROM ledger.holder AS h WHERE h.user_id = p_holder AND h.account = u.number
        ) ORDER BY k)
    INTO v_balance, v_low, v_side, v_status, v_currency, v_spent, v_daily, v_most,
        v_payees, v_loans, v_denied
    FROM unnest(p_accounts) WITH ORDINALITY AS u (number, k)
    LEFT JOIN ledger.account AS a USING (number);
    IF p_reference IS NOT NULL THEN
        v_twin := ledger.reference_twins_v1(p_client, p_reference);
    END IF;

    FOR i IN 1 .. v_items LOOP
        d := p_debit[i];
        c := p_credit[i];
        v_amount := p_amount[i];
        v_result := CASE
            WHEN v_chain_refused THEN 1
            WHEN p_refused[i] <> 0 THEN p_refused[i]
            WHEN p_linked[i] AND i = v_items THEN 2
            WHEN d = c THEN 12
            WHEN v_denied[d] AND v_status[d] IS DISTINCT FROM 'moved' THEN 20
            ELSE ledger.pair_code_v1(
                v_amount, p_currency[i], v_status[d], v_currency[d], v_status[c], v_currency[c])
        END;
        IF v_result = 0 THEN
            v_new_debit := v_balance[d] - v_side[d] * v_amount;
            v_new_credit := v_balance[c] + v_side[c] * v_amount;
            v_spend := CASE WHEN ledger.is_spending_v1(p_kind[i]) THEN v_amount ELSE 0 END;
            v_result := CASE
                WHEN (v_loans[d] OR v_loans[c]) AND NOT ledger.moves_loans_v1(p_kind[i]) THEN 29
                WHEN v_new_debit < v_low[d] AND v_side[d] = 1 THEN 30
                WHEN v_new_credit < v_low[c] AND v_side[c] = -1 THEN 30
                WHEN abs(v_new_debit) > 9000000000000000000 THEN 11
                WHEN abs(v_new_credit) > 9000000000000000000 THEN 11
                ELSE 0
            END;
            IF v_result = 0 AND v_twin[i] IS NOT NULL THEN
                v_earlier := v_twin[i];
                WHILE v_earlier > 0 AND v_code[v_earlier] <> 0 LOOP
                    v_earlier := v_twin[v_earlier];
                END LOOP;
                IF v_earlier IS NOT NULL THEN
                    v_result := 40;
                END IF;
            END IF;
            IF v_result = 0 AND v_spend > 0 THEN
                IF v_spend > v_most[d] THEN
                    v_result := 36;
                ELSIF v_spent[d] + v_spend > v_daily[d] THEN
                    v_result := 31;
                ELSIF v_any_payees AND v_payees[d] AND NOT ledger.use_payee_limit_v1(
                    p_accounts[d], coalesce(p_peer[i], p_accounts[c]), v_spend, p_day) THEN
                    v_result := 32;
                END IF;
            END IF;
        END IF;
        IF v_result = 0 THEN
            v_balance[d] := v_new_debit;
            v_balance[c] := v_new_credit;
            v_debit_after[i] := v_new_debit;
            v_credit_after[i] := v_new_credit;
            v_accepted := v_accepted + 1;
            IF v_spend > 0 THEN
                v_spent[d] := v_spent[d] + v_spend;
            END IF;
        ELSE
            v_code[i] := v_result;
        END IF;
        IF v_chain IS NOT NULL OR p_linked[i] THEN
            v_chain := coalesce(v_chain, i);
            IF v_result > 1 THEN
                v_chain_refused := true;
                FOR j IN REVERSE i - 1 .. v_chain LOOP
                    CONTINUE WHEN v_code[j] <> 0;
                    d := p_debit[j];
                    c := p_credit[j];
                    v_amount := p_amount[j];
                    v_balance[d] := v_balance[d] + v_side[d] * v_amount;
                    v_balance[c] := v_balance[c] - v_side[c] * v_amount;
                    v_code[j] := 1;
                    v_accepted := v_accepted - 1;
                    IF ledger.is_spending_v1(p_kind[j]) THEN
                        v_spent[d] := v_spent[d] - v_amount;
                        IF v_any_payees AND v_payees[d] THEN
                            PERFORM ledger.use_payee_limit_v1(
                                p_accounts[d], coalesce(p_peer[j], p_accounts[c]), - v_amount,
                                p_day);
                        END IF;
                    END IF;
                END LOOP;
            END IF;
            v_group[i] := v_chain;
            IF p_linked[i] IS NOT TRUE THEN
                v_chain := NULL;
                v_chain_refused := false;
            END IF;
        END IF;
    END LOOP;

    v_now := clock_timestamp();
    v_tick := greatest(ledger.tick_v1(), v_tick + 1);
    v_tail := ledger.id_tail_v1();
    first_id := ledger.id_v1(v_tick, v_tail);
    IF v_accepted > 0 THEN
        INSERT INTO ledger.journal (
            id, xid, debit, credit, amount, debit_after, credit_after, client, event_at, group_id,
            kind, channel, reference, memo, peer
        )
        SELECT
            ledger.id_v1(v_tick + t.n - 1, v_tail),
            pg_current_xact_id(),
            p_accounts[t.debit],
            p_accounts[t.credit],
            t.amount,
            t.debit_after,
            t.credit_after,
            p_client,
            coalesce(p_event_at[t.n::integer], v_now),
            ledger.id_v1(v_tick + v_group[t.n::integer] - 1, v_tail),
            t.kind,
            p_channel,
            p_reference[t.n::integer],
            p_memo[t.n::integer],
            p_peer[t.n::integer]
        FROM unnest(p_debit, p_credit, p_amount, v_debit_after, v_credit_after, v_code, p_kind)
        WITH ORDINALITY AS t (debit, credit, amount, debit_after, credit_after, code, kind, n)
        WHERE t.code = 0;
        UPDATE ledger.account AS a
        SET
            balance = t.balance,
            spent = CASE WHEN t.spent > 0 THEN t.spent ELSE a.spent END,
            spent_day = CASE WHEN t.spent > 0 THEN greatest(a.spent_day, p_day) ELSE a.spent_day END,
            last_tick = v_tick + v_items - 1
        FROM unnest(p_accounts, v_balance, v_spent) AS t (number, balance, spent)
        WHERE a.number = t.number AND t.balance IS NOT NULL;
    END IF;
    IF v_accepted > 0 AND p_reference IS NOT NULL THEN
        INSERT INTO ledger.reference (client, reference, transfer_id)
        SELECT p_client, t.reference, ledger.id_v1(v_tick + t.n - 1, v_tail)
        FROM unnest(p_reference, v_code) WITH ORDINALITY AS t (reference, code, n)
        WHERE t.code = 0 AND t.reference IS NOT NULL;
    END IF;
    IF v_accepted < v_items THEN
        SELECT array_agg(t.n::integer ORDER BY t.n), array_agg(t.code ORDER BY t.n)
        INTO refused_items, refused_codes
        FROM unnest(v_code) WITH ORDINALITY AS t (code, n)
        WHERE t.code <> 0;
    END IF;
    IF p_key IS NOT NULL THEN
        INSERT INTO ledger.request (client, key, hash, result_id, refused_items, refused_codes)
        VALUES (p_client, p_key, v_hash, first_id, refused_items, refused_codes);
    END IF;
END
$$;
