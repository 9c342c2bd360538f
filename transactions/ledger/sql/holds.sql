-- Holds: money set aside for one payee, then captured, released or left to expire. What is held counts
-- against the limits of the day it was placed; what is given back on that day counts no longer.

-- What an account has set aside, and what is set aside for it, whatever became of it.
CREATE INDEX IF NOT EXISTS hold_account ON ledger.hold (account, id);
CREATE INDEX IF NOT EXISTS hold_payee ON ledger.hold (payee, id);

-- Holds as they are now: one that has run out is expired, tidied or not.
CREATE OR REPLACE VIEW ledger.hold_now AS
SELECT
    h.id, h.account, h.payee, h.amount, a.currency, h.captured,
    CASE WHEN h.state = 'open' AND h.expires_at <= clock_timestamp() THEN 'expired' ELSE h.state END
    AS state,
    h.memo, h.placed_at, h.expires_at, h.ended_at,
    h.transfer_id
FROM ledger.hold AS h
INNER JOIN ledger.account AS a ON a.number = h.account;

-- name: hold_v1
-- Set `p_amount` of an account aside for a payee until `p_expires_at`; answers with the hold's id.
-- Locks the account, and keeps the payee from moving meanwhile: a payee that moves looks for holds.
-- The same key and body again answers with the first hold, `replayed`.
CREATE OR REPLACE FUNCTION ledger.hold_v1(
    p_client bigint, p_key text, p_account bigint, p_payee bigint, p_amount bigint, p_currency text,
    p_expires_at timestamptz, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    OUT hold_id uuid, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account;
    v_payee ledger.account;
    v_request ledger.request;
    v_code integer;
BEGIN
    PERFORM ledger.queue_v1(p_account);
    IF p_payee < p_account THEN
        PERFORM FROM ledger.account WHERE number = p_payee FOR KEY SHARE;
    END IF;
    v_account := ledger.lock_account_v1(p_account);
    IF p_account = p_payee THEN
        PERFORM ledger.refuse_v1(12);
    ELSIF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(20);
    END IF;
    PERFORM ledger.check_holder_v1(p_holder, p_account);
    hold_id := ledger.id_v1(ledger.tick_v1(), ledger.id_tail_v1());
    v_request := ledger.claim_v1(
        p_client, p_key,
        ROW('hold', p_account, p_payee, p_amount, p_currency, p_expires_at, p_memo)::text, hold_id);
    replayed := v_request.key IS NOT NULL;
    IF replayed THEN
        hold_id := v_request.result_id;
        RETURN;
    END IF;
    SELECT * INTO v_payee FROM ledger.account WHERE number = p_payee FOR KEY SHARE;
    v_code := ledger.pair_code_v1(
        p_amount, p_currency, v_account.status, v_account.currency, v_payee.status, v_payee.currency);
    IF v_code <> 0 THEN
        PERFORM ledger.refuse_v1(v_code);
    ELSIF v_payee.purpose IN ('loan', 'loan_dues') THEN
        PERFORM ledger.refuse_v1(29);
    ELSIF p_expires_at IS NULL OR p_expires_at <= clock_timestamp() THEN
        PERFORM ledger.refuse_v1(83);
    END IF;
    PERFORM ledger.check_available_v1(v_account, v_account.balance, v_account.held + p_amount);
    PERFORM ledger.check_spending_v1(v_account, p_payee, p_amount, p_day);
    INSERT INTO ledger.hold (id, account, payee, amount, client, placed_day, expires_at, memo)
    VALUES (hold_id, p_account, p_payee, p_amount, p_client, p_day, p_expires_at, p_memo);
    UPDATE ledger.account
    SET
        held = held + p_amount,
        floor = floor + p_amount,
        spent = CASE WHEN spent_day < p_day THEN 0 ELSE spent END + p_amount,
        spent_day = greatest(spent_day, p_day)
    WHERE number = p_account;
END
$$;

-- name: open_hold_v1
-- Return a hold that can still be used, locked; raises unknown_hold, hold_not_open or hold_expired.
-- The caller has locked its account.
CREATE OR REPLACE FUNCTION ledger.open_hold_v1(p_hold uuid) RETURNS ledger.hold
LANGUAGE plpgsql AS $$
DECLARE
    v_hold ledger.hold;
BEGIN
    SELECT * INTO v_hold FROM ledger.hold WHERE id = p_hold FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(50);
    ELSIF v_hold.state = 'expired'
        OR v_hold.state = 'open' AND v_hold.expires_at <= clock_timestamp() THEN
        PERFORM ledger.refuse_v1(52);
    ELSIF v_hold.state <> 'open' THEN
        PERFORM ledger.refuse_v1(51);
    END IF;
    RETURN v_hold;
END
$$;

-- name: capture_v1
-- Pay `p_amount` of a hold to its payee and free the rest; answers as post_v1 does.
CREATE OR REPLACE FUNCTION ledger.capture_v1(
    p_client bigint, p_key text, p_hold uuid, p_amount bigint, p_channel text, p_day date,
    p_kind text DEFAULT 'payment', p_memo text DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_hold ledger.hold;
    v_pair record;
    v_debit ledger.account;
    v_credit ledger.account;
    v_request ledger.request;
    v_tick bigint;
    v_given_back bigint;
BEGIN
    SELECT * INTO v_hold FROM ledger.hold WHERE id = p_hold;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(50);
    END IF;
    v_pair := ledger.lock_pair_v1(v_hold.account, v_hold.payee);
    v_debit := v_pair.debit;
    v_credit := v_pair.credit;
    v_tick := greatest(ledger.tick_v1(), v_debit.last_tick + 1, v_credit.last_tick + 1);
    transfer_id := ledger.id_v1(v_tick, ledger.id_tail_v1());
    v_request := ledger.claim_v1(
        p_client, p_key, ROW('capture', p_hold, p_amount, p_kind, p_memo)::text, transfer_id);
    replayed := v_request.key IS NOT NULL;
    IF replayed THEN
        transfer_id := v_request.result_id;
        SELECT j.debit_after, j.credit_after INTO debit_after, credit_after
        FROM ledger.journal AS j WHERE j.id = v_request.result_id;
        RETURN;
    END IF;
    v_hold := ledger.open_hold_v1(p_hold);
    IF p_amount > v_hold.amount THEN
        PERFORM ledger.refuse_v1(53);
    ELSIF p_amount <= 0 OR p_amount IS NULL THEN
        PERFORM ledger.refuse_v1(10);
    END IF;
    v_given_back := ledger.give_back_v1(v_hold, v_hold.amount - p_amount, p_day);
    -- Before the funds are checked, which ends what has run out meanwhile: not this one any more.
    UPDATE ledger.hold
    SET state = 'captured', captured = p_amount, transfer_id = capture_v1.transfer_id,
        ended_at = clock_timestamp()
    WHERE id = p_hold;
    SELECT m.debit_after, m.credit_after INTO debit_after, credit_after
    FROM ledger.move_v1(
        v_tick, transfer_id, v_debit, v_credit, p_amount, v_debit.currency, p_client, p_kind,
        p_channel, p_day, - v_given_back, v_hold.amount, NULL, NULL, NULL,
        coalesce(p_memo, v_hold.memo)) AS m;
END
$$;

-- name: give_back_v1
-- Return how much of a hold's unused amount counts no longer against its account's daily limit: all
-- of it on the day of the hold, nothing later, and nothing once a later day is counted. Gives it back
-- to the payee's limit. The caller has locked the account.
CREATE OR REPLACE FUNCTION ledger.give_back_v1(
    p_hold ledger.hold, p_unused bigint, p_day date
) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF p_hold.placed_day <> p_day OR p_unused <= 0 THEN
        RETURN 0;
    END IF;
    IF EXISTS (
        SELECT FROM ledger.payee_limit
        WHERE account = p_hold.account AND payee = p_hold.payee AND spent_day <= p_day
    ) THEN
        PERFORM ledger.use_payee_limit_v1(p_hold.account, p_hold.payee, - p_unused, p_day);
    END IF;
    IF (SELECT spent_day FROM ledger.account WHERE number = p_hold.account) > p_day THEN
        RETURN 0;
    END IF;
    RETURN p_unused;
END
$$;

-- name: release_v1
-- Free a hold's money without paying; `replayed` when the same request released it before.
CREATE OR REPLACE FUNCTION ledger.release_v1(
    p_client bigint, p_key text, p_hold uuid, p_day date, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_hold ledger.hold;
    v_request ledger.request;
    v_given_back bigint;
BEGIN
    SELECT * INTO v_hold FROM ledger.hold WHERE id = p_hold;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(50);
    END IF;
    PERFORM ledger.lock_account_v1(v_hold.account);
    v_request := ledger.claim_v1(p_client, p_key, ROW('release', p_hold)::text, p_hold);
    replayed := v_request.key IS NOT NULL;
    IF replayed THEN
        RETURN;
    END IF;
    v_hold := ledger.open_hold_v1(p_hold);
    v_given_back := ledger.give_back_v1(v_hold, v_hold.amount, p_day);
    UPDATE ledger.hold SET state = 'released', ended_at = clock_timestamp() WHERE id = p_hold;
    UPDATE ledger.account
    SET
        held = held - v_hold.amount,
        floor = floor - v_hold.amount,
        spent = greatest(spent - CASE WHEN spent_day = p_day THEN v_given_back ELSE 0 END, 0)
    WHERE number = v_hold.account;
END
$$;

-- name: expire_holds_v1
-- Tidy up to `p_limit` holds that have run out; answers with how many accounts were tidied. Postings
-- never wait for this. Locks the accounts in the order of their numbers.
CREATE OR REPLACE FUNCTION ledger.expire_holds_v1(p_limit integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_accounts bigint [];
BEGIN
    SELECT array_agg(number) INTO v_accounts
    FROM (
        SELECT a.number FROM ledger.account AS a
        WHERE a.number IN (
            SELECT account FROM ledger.hold
            WHERE state = 'open' AND expires_at <= clock_timestamp() LIMIT p_limit
        )
        ORDER BY a.number
        FOR UPDATE OF a SKIP LOCKED
    ) AS locked;
    IF v_accounts IS NOT NULL THEN
        PERFORM ledger.expire_held_v1(v_accounts);
    END IF;
    RETURN coalesce(cardinality(v_accounts), 0);
END
$$;
