-- Posting one transfer. A refusal is an exception, and nothing is written.
--
-- Functions without SECURITY DEFINER, here and in the files after this one, are steps of those with
-- it: they run with their rights and search_path, and write nothing when called alone by bank_app.

-- Whether a kind of transfer counts against the payer's daily and per-payee limits.
CREATE OR REPLACE FUNCTION ledger.is_spending_v1(p_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_kind IN ('transfer', 'withdrawal', 'payment', 'card');

-- Whether a kind of transfer moves what a loan owes. All else is refused on the accounts of loans: a
-- plain transfer would repay the principal before penalties, fees and interest.
CREATE OR REPLACE FUNCTION ledger.moves_loans_v1(p_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_kind LIKE 'loan%' OR p_kind IN ('reversal', 'move');
REVOKE ALL ON FUNCTION ledger.moves_loans_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.moves_loans_v1 TO bank_app;

-- What forbids a transfer between two accounts whatever their balances, as a code; 0 for nothing.
-- An account that does not exist has a NULL status.
CREATE OR REPLACE FUNCTION ledger.pair_code_v1(
    p_amount bigint, p_currency text,
    p_debit_status text, p_debit_currency text, p_credit_status text, p_credit_currency text
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN p_amount > 1000000000000000 THEN 11
    WHEN p_amount <= 0 OR p_amount IS NULL THEN 10
    WHEN p_debit_status IS NULL THEN 20
    WHEN p_credit_status IS NULL THEN 21
    WHEN p_debit_status = 'moved' OR p_credit_status = 'moved' THEN 28
    WHEN p_debit_status = 'frozen' THEN 22
    WHEN p_credit_status = 'frozen' THEN 23
    WHEN p_debit_status = 'closed' THEN 24
    WHEN p_credit_status = 'closed' THEN 25
    WHEN p_debit_currency <> p_credit_currency THEN 26
    WHEN p_debit_currency = p_currency THEN 0
    ELSE 27
END;

-- name: expire_held_v1
-- End the holds of these accounts that have run out and free their money; answers with how many. Of what
-- was set aside on the day that is counted last, nothing counts against limits any more. The caller has
-- locked the accounts.
CREATE OR REPLACE FUNCTION ledger.expire_held_v1(p_accounts bigint []) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH ended AS (
        UPDATE ledger.hold
        SET state = 'expired', ended_at = clock_timestamp()
        WHERE account = ANY(p_accounts) AND state = 'open' AND expires_at <= clock_timestamp()
        RETURNING account, payee, amount, placed_day
    ), freed AS (
        UPDATE ledger.account
        SET
            held = held - sums.total,
            floor = floor - sums.total,
            spent = greatest(spent - sums.counted, 0)
        FROM (
            SELECT
                e.account,
                sum(e.amount)::bigint AS total,
                sum(CASE WHEN e.placed_day = a.spent_day THEN e.amount ELSE 0 END)::bigint AS counted
            FROM ended AS e INNER JOIN ledger.account AS a ON a.number = e.account
            GROUP BY e.account
        ) AS sums
        WHERE number = sums.account
    ), given_back AS (
        UPDATE ledger.payee_limit AS l
        SET spent = greatest(l.spent - sums.total, 0)
        FROM (
            SELECT account, payee, placed_day, sum(amount)::bigint AS total
            FROM ended
            GROUP BY account, payee, placed_day
        ) AS sums
        WHERE l.account = sums.account AND l.payee = sums.payee AND l.spent_day = sums.placed_day
    )
    SELECT count(*) FROM ended
$$;

-- name: use_payee_limit_v1
-- Count `p_amount` against what `p_account` may pay to `p_payee` on `p_day`; false when it is too
-- much. A negative amount gives back. The caller has locked the account.
CREATE OR REPLACE FUNCTION ledger.use_payee_limit_v1(
    p_account bigint, p_payee bigint, p_amount bigint, p_day date
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_limit ledger.payee_limit;
    v_spent bigint;
BEGIN
    SELECT * INTO v_limit FROM ledger.payee_limit WHERE account = p_account AND payee = p_payee;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    v_spent := CASE WHEN v_limit.spent_day < p_day THEN 0 ELSE v_limit.spent END + p_amount;
    IF p_amount > 0 AND v_spent > v_limit.daily_limit THEN
        RETURN false;
    END IF;
    UPDATE ledger.payee_limit
    SET spent = greatest(v_spent, 0), spent_day = greatest(spent_day, p_day)
    WHERE account = p_account AND payee = p_payee;
    RETURN true;
END
$$;

-- name: queue_v1
-- Queue for those accounts that are running, in the order of their numbers, before the row of any is
-- locked, which decides. In the queue a commit wakes only the next in turn, at the row it would wake all:
-- 32 clients on one account pass half as many transfers again. Nobody who has a row waits for a number,
-- since batches take the rows alone: they would wait for each other.
CREATE OR REPLACE FUNCTION ledger.queue_v1(VARIADIC p_numbers bigint []) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(waited.number)
    FROM (
        SELECT number FROM ledger.account WHERE number = ANY(p_numbers) AND running ORDER BY number
    ) AS waited;
END
$$;

-- name: lock_account_v1
-- Return one account, queued for and locked when it is running; all NULL when there is none. Who locks
-- several queues for all of them first, and then locks them in the order of their numbers.
CREATE OR REPLACE FUNCTION ledger.lock_account_v1(p_number bigint) RETURNS ledger.account
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
BEGIN
    PERFORM ledger.queue_v1(p_number);
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number AND running FOR UPDATE;
    IF NOT FOUND THEN
        SELECT * INTO v_account FROM ledger.account WHERE number = p_number AND NOT running;
    END IF;
    RETURN v_account;
END
$$;

-- name: lock_pair_v1
-- Return the debit and the credit account of one transfer, locked in the order of their numbers.
CREATE OR REPLACE FUNCTION ledger.lock_pair_v1(
    p_debit bigint, p_credit bigint, OUT debit ledger.account, OUT credit ledger.account
)
LANGUAGE plpgsql AS $$
BEGIN
    IF p_debit = p_credit THEN
        PERFORM ledger.refuse_v1(12);
    END IF;
    PERFORM ledger.queue_v1(p_debit, p_credit);
    IF p_debit < p_credit THEN
        debit := ledger.lock_account_v1(p_debit);
        credit := ledger.lock_account_v1(p_credit);
    ELSE
        credit := ledger.lock_account_v1(p_credit);
        debit := ledger.lock_account_v1(p_debit);
    END IF;
END
$$;

-- name: check_holder_v1
-- Raise unless a person (NULL: the bank, which may) holds rights on an account. Holders leave with an
-- account that moves: then its new node decides.
CREATE OR REPLACE FUNCTION ledger.check_holder_v1(p_holder bigint, p_account bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_holder IS NOT NULL AND NOT EXISTS (
        SELECT FROM ledger.holder WHERE user_id = p_holder AND account = p_account
    ) THEN
        PERFORM ledger.refuse_v1(CASE
            WHEN EXISTS (
                SELECT FROM ledger.account WHERE number = p_account AND status = 'moved'
            ) THEN 28
            ELSE 20
        END);
    END IF;
END
$$;

-- name: check_spending_v1
-- Raise unless the locked account may spend `p_amount` more on `p_day`, to this payee. Holds that have run
-- out count no longer: they are ended here.
CREATE OR REPLACE FUNCTION ledger.check_spending_v1(
    p_account ledger.account, p_payee bigint, p_amount bigint, p_day date
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_spent bigint;
BEGIN
    IF p_account.held > 0 THEN
        PERFORM ledger.expire_held_v1(ARRAY[p_account.number]);
        SELECT * INTO p_account FROM ledger.account WHERE number = p_account.number;
    END IF;
    v_spent := CASE WHEN p_account.spent_day < p_day THEN 0 ELSE p_account.spent END;
    IF p_amount > p_account.transfer_limit THEN
        PERFORM ledger.refuse_v1(36);
    ELSIF v_spent + p_amount > p_account.daily_limit THEN
        PERFORM ledger.refuse_v1(31);
    END IF;
    IF p_account.payee_limits
        AND NOT ledger.use_payee_limit_v1(p_account.number, p_payee, p_amount, p_day) THEN
        PERFORM ledger.refuse_v1(32);
    END IF;
END
$$;

-- name: check_available_v1
-- Raise unless the locked account can go down to `p_balance` with `p_held` set aside. Holds that have
-- run out count no longer: they are ended here.
CREATE OR REPLACE FUNCTION ledger.check_available_v1(
    p_account ledger.account, p_balance bigint, p_held bigint
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_balance - p_held >= - p_account.overdraft_limit OR p_account.overdraft_limit IS NULL THEN
        RETURN;
    END IF;
    IF p_account.held > 0 AND ledger.expire_held_v1(ARRAY[p_account.number]) > 0 THEN
        p_held := p_held - p_account.held
            + (SELECT held FROM ledger.account WHERE number = p_account.number);
    END IF;
    IF p_balance - p_held < - p_account.overdraft_limit THEN
        PERFORM ledger.refuse_v1(30);
    END IF;
END
$$;

-- name: move_v1
-- Check one transfer between two locked accounts and write it: the journal row and both balances.
-- p_spend counts against the payer's limits on p_day and may be negative; p_unhold is freed from what
-- the payer has set aside. p_peer is the account at the other end, when that is on another node.
-- Raises the refusal.
CREATE OR REPLACE FUNCTION ledger.move_v1(
    p_tick bigint, p_id uuid, p_debit ledger.account, p_credit ledger.account, p_amount bigint,
    p_currency text, p_client bigint, p_kind text, p_channel text, p_day date, p_spend bigint,
    p_unhold bigint, p_event_at timestamptz, p_group_id uuid, p_reference text, p_memo text,
    p_peer bigint DEFAULT NULL,
    OUT debit_after bigint, OUT credit_after bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    v_code integer := ledger.pair_code_v1(
        p_amount, p_currency, p_debit.status, p_debit.currency, p_credit.status, p_credit.currency);
BEGIN
    IF v_code <> 0 THEN
        PERFORM ledger.refuse_v1(v_code);
    ELSIF (
        p_debit.purpose IN ('loan', 'loan_dues') OR p_credit.purpose IN ('loan', 'loan_dues')
    ) AND NOT ledger.moves_loans_v1(p_kind) THEN
        PERFORM ledger.refuse_v1(29);
    END IF;
    IF p_debit.running THEN
        debit_after := p_debit.balance - p_debit.side * p_amount;
        IF p_debit.side = 1 THEN
            PERFORM ledger.check_available_v1(p_debit, debit_after, p_debit.held - p_unhold);
        END IF;
    END IF;
    IF p_credit.running THEN
        credit_after := p_credit.balance + p_credit.side * p_amount;
        IF p_credit.side = -1 THEN
            PERFORM ledger.check_available_v1(p_credit, credit_after, p_credit.held);
        END IF;
    END IF;
    IF greatest(debit_after, credit_after) > 9000000000000000000
        OR least(debit_after, credit_after) < -9000000000000000000 THEN
        PERFORM ledger.refuse_v1(11);
    END IF;
    IF p_reference IS NOT NULL THEN
        INSERT INTO ledger.reference (client, reference, transfer_id)
        VALUES (p_client, p_reference, p_id) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            PERFORM ledger.refuse_v1(40);
        END IF;
    END IF;
    IF p_spend > 0 THEN
        PERFORM ledger.check_spending_v1(
            p_debit, coalesce(p_peer, p_credit.number), p_spend, p_day);
    END IF;
    INSERT INTO ledger.journal (
        id, xid, debit, credit, amount, debit_after, credit_after, client, event_at, group_id, kind,
        channel, reference, memo, peer
    ) VALUES (
        p_id, pg_current_xact_id(), p_debit.number, p_credit.number, p_amount, debit_after,
        credit_after, p_client, coalesce(p_event_at, clock_timestamp()), p_group_id, p_kind,
        p_channel, p_reference, p_memo, p_peer
    );
    IF p_debit.running THEN
        UPDATE ledger.account
        SET
            balance = debit_after,
            held = held - p_unhold,
            floor = floor - p_unhold,
            -- What is no spending leaves the count of a day alone.
            spent = greatest(
                p_spend + CASE WHEN p_spend <> 0 AND spent_day < p_day THEN 0 ELSE spent END, 0),
            spent_day = CASE WHEN p_spend <> 0 THEN greatest(spent_day, p_day) ELSE spent_day END,
            last_tick = p_tick
        WHERE number = p_debit.number;
    END IF;
    IF p_credit.running THEN
        UPDATE ledger.account
        SET balance = credit_after, last_tick = p_tick
        WHERE number = p_credit.number;
    END IF;
END
$$;

-- name: post_fully_v1
-- Post one transfer of any kind, or answer with the result of the same request before (`replayed`).
-- Answers with its id and both balances after it (NULL: a summed account). Locks the running accounts
-- in the order of their numbers, claims the key, checks, writes. p_day is the bank's calendar day,
-- against which daily limits count; p_holder, when given, must hold rights on the debit account.
-- p_amount is in minor units of p_currency. p_key NULL: the posting cannot be asked for twice.
CREATE OR REPLACE FUNCTION ledger.post_fully_v1(
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_pair record;
    v_debit ledger.account;
    v_credit ledger.account;
    v_request ledger.request;
    v_tick bigint;
BEGIN
    v_pair := ledger.lock_pair_v1(p_debit, p_credit);
    v_debit := v_pair.debit;
    v_credit := v_pair.credit;
    PERFORM ledger.check_holder_v1(p_holder, p_debit);
    v_tick := greatest(ledger.tick_v1(), v_debit.last_tick + 1, v_credit.last_tick + 1);
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    replayed := false;
    IF p_key IS NOT NULL THEN
        v_request := ledger.claim_v1(
            p_client, p_key,
            ROW(
                'post', p_debit, p_credit, p_amount, p_currency, p_kind, p_memo, p_reference,
                p_event_at
            )::text,
            transfer_id);
        IF v_request.key IS NOT NULL THEN
            -- The journal of another node has the balances, if the account has moved since.
            replayed := true;
            transfer_id := v_request.result_id;
            SELECT j.debit_after, j.credit_after INTO debit_after, credit_after
            FROM ledger.journal AS j WHERE j.id = v_request.result_id;
            RETURN;
        END IF;
    END IF;
    SELECT m.debit_after, m.credit_after INTO debit_after, credit_after
    FROM ledger.move_v1(
        v_tick, transfer_id, v_debit, v_credit, p_amount, p_currency, p_client, p_kind, p_channel,
        p_day, CASE WHEN ledger.is_spending_v1(p_kind) THEN p_amount ELSE 0 END, 0, p_event_at, NULL,
        p_reference, p_memo) AS m;
END
$$;

-- name: post_v2
-- Post the usual transfer: between two usual accounts of one currency, with money enough, under a key
-- not used before. Arguments and answer as post_fully_v1, which decides everything else: whatever is
-- not so raises long_way or breaks a constraint (account_floor, request_pkey), nothing is written, and
-- the caller asks there.
--
-- Few and plain statements, since each costs more than the work it does. The updates lock the rows, in
-- the order of their numbers (queued for, as in queue_v1), and account_floor decides about the
-- money. The id is made of the clock, which the first update reads (whoever takes a day's balances waits
-- for who is at the accounts by then), or above the last one of an account that was busy meanwhile; when
-- that is the second account, the first is brought up to it, so that its next id will be above this one.
--
-- Who had to wait for an account is not `flushed`: the transaction ends, and lets the next one at the
-- account, without waiting for the disk. The caller answers nobody before a later transaction of the same
-- node, with synchronous_commit, has written to the log and is on disk, and with it all that ended before
-- (early lock release; DeWitt et al. 1984, section 4). Not where standbys are waited for: they may keep
-- silent for long, and others would see meanwhile what goes with this server.
CREATE OR REPLACE FUNCTION ledger.post_v2(
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint, OUT replayed boolean,
    OUT flushed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_tick bigint;
    v_first_tick bigint;
    v_spend bigint := CASE WHEN ledger.is_spending_v1(p_kind) THEN p_amount ELSE 0 END;
BEGIN
    flushed := true;
    IF p_holder IS NOT NULL AND p_debit <> p_credit THEN
        PERFORM ledger.check_holder_v1(p_holder, p_debit);
    END IF;
    IF NOT pg_try_advisory_xact_lock(least(p_debit, p_credit)) THEN
        flushed := false;
        PERFORM pg_advisory_xact_lock(least(p_debit, p_credit));
    END IF;
    IF NOT pg_try_advisory_xact_lock(greatest(p_debit, p_credit)) THEN
        flushed := false;
        PERFORM pg_advisory_xact_lock(greatest(p_debit, p_credit));
    END IF;
    flushed := flushed OR current_setting('synchronous_standby_names') <> '';
    IF NOT flushed THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    IF p_debit < p_credit THEN
        UPDATE ledger.account
        SET
            balance = balance - side * p_amount,
            spent = v_spend + CASE WHEN v_spend > 0 AND spent_day < p_day THEN 0 ELSE spent END,
            spent_day = CASE WHEN v_spend > 0 THEN greatest(spent_day, p_day) ELSE spent_day END,
            last_tick = greatest(last_tick + 1, ledger.tick_v1())
        WHERE number = p_debit AND usual AND currency = p_currency
        RETURNING balance, last_tick INTO debit_after, v_tick;
        v_first_tick := v_tick;
        UPDATE ledger.account
        SET balance = balance + side * p_amount, last_tick = greatest(last_tick + 1, v_tick)
        WHERE number = p_credit AND usual AND currency = p_currency
        RETURNING balance, last_tick INTO credit_after, v_tick;
    ELSIF p_debit > p_credit THEN
        UPDATE ledger.account
        SET
            balance = balance + side * p_amount,
            last_tick = greatest(last_tick + 1, ledger.tick_v1())
        WHERE number = p_credit AND usual AND currency = p_currency
        RETURNING balance, last_tick INTO credit_after, v_tick;
        v_first_tick := v_tick;
        UPDATE ledger.account
        SET
            balance = balance - side * p_amount,
            spent = v_spend + CASE WHEN v_spend > 0 AND spent_day < p_day THEN 0 ELSE spent END,
            spent_day = CASE WHEN v_spend > 0 THEN greatest(spent_day, p_day) ELSE spent_day END,
            last_tick = greatest(last_tick + 1, v_tick)
        WHERE number = p_debit AND usual AND currency = p_currency
        RETURNING balance, last_tick INTO debit_after, v_tick;
    ELSE
        PERFORM ledger.refuse_v1(12);
    END IF;
    IF (
        p_amount BETWEEN 1 AND 1000000000000000 AND p_reference IS NULL
        AND abs(debit_after) <= 9000000000000000000 AND abs(credit_after) <= 9000000000000000000
    ) IS NOT TRUE THEN
        PERFORM ledger.refuse_v1(42);
    ELSIF v_tick > v_first_tick THEN
        UPDATE ledger.account SET last_tick = v_tick WHERE number = least(p_debit, p_credit);
    END IF;
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    INSERT INTO ledger.journal (
        id, xid, debit, credit, amount, debit_after, credit_after, client, event_at, kind, channel, memo
    ) VALUES (
        transfer_id, pg_current_xact_id(), p_debit, p_credit, p_amount, debit_after, credit_after,
        p_client, coalesce(p_event_at, clock_timestamp()), p_kind, p_channel, p_memo
    );
    IF p_key IS NOT NULL THEN
        INSERT INTO ledger.request (client, key, hash, result_id)
        VALUES (
            p_client, p_key,
            sha256(convert_to(ROW(
                'post', p_debit, p_credit, p_amount, p_currency, p_kind, p_memo, p_reference,
                p_event_at
            )::text, 'UTF8')),
            transfer_id);
    END IF;
    replayed := false;
END
$$;

-- name: post_v1
-- As post_v2, for releases that know only this: what it posts is on disk when its transaction ends.
CREATE OR REPLACE FUNCTION ledger.post_v1(
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_commit text := current_setting('synchronous_commit');
BEGIN
    SELECT p.transfer_id, p.debit_after, p.credit_after, p.replayed
    INTO transfer_id, debit_after, credit_after, replayed
    FROM ledger.post_v2(
        p_client, p_key, p_debit, p_credit, p_amount, p_currency, p_kind, p_channel, p_day, p_holder,
        p_memo, p_reference, p_event_at
    ) AS p;
    PERFORM set_config('synchronous_commit', v_commit, true);
END
$$;
