-- The ledger as migration 0001 of the first release made it: its files, one after another.
-- The ledger of one node: accounts with their balances, and one journal of paired rows.
--
-- Money is bigint minor units in the account's own currency. A balance is written in its account's
-- natural direction: what a customer owns, what a till holds, what the bank has earned. `side` says
-- which leg makes it grow: +1 the credit (liabilities, income), -1 the debit (assets, expenses).
--
-- Only the functions of this folder write here; bank_app may read and call them, nothing else.

CREATE SCHEMA ledger;
GRANT USAGE ON SCHEMA ledger TO bank_app, bank_readonly;

-- Rules of single values are domains: unlike CHECK constraints, which PostgreSQL parses anew for every
-- statement on their table, they cost nothing where their column is not written.
CREATE DOMAIN ledger.positive AS bigint CHECK (value > 0);
CREATE DOMAIN ledger.not_negative AS bigint CHECK (value >= 0);
CREATE DOMAIN ledger.side AS smallint CHECK (value IN (1, -1));
CREATE DOMAIN ledger.status AS text CHECK (value IN ('open', 'frozen', 'closed'));
CREATE DOMAIN ledger.purpose AS text CHECK (value ~ '^[a-z_]{2,24}$');

CREATE TABLE ledger.currency (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    numeric_code smallint NOT NULL UNIQUE CHECK (numeric_code BETWEEN 1 AND 999),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);

-- Running accounts are locked and checked with every posting. Summed ones (the bank's own busy
-- accounts without a floor) are never locked: their balance is a fold of their legs.
-- HOT updates need room on the page and no index on what changes.
CREATE TABLE ledger.account (
    number ledger.positive PRIMARY KEY,
    balance bigint NOT NULL DEFAULT 0,
    floor bigint,
    held ledger.not_negative NOT NULL DEFAULT 0,
    overdraft_limit ledger.not_negative,
    daily_limit ledger.not_negative,
    spent bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    last_tick bigint NOT NULL DEFAULT 0,
    spent_day date NOT NULL DEFAULT '-infinity',
    side ledger.side NOT NULL,
    running boolean NOT NULL,
    payee_limits boolean NOT NULL DEFAULT false,
    usual boolean NOT NULL DEFAULT false,
    status ledger.status NOT NULL DEFAULT 'open',
    currency text NOT NULL REFERENCES ledger.currency,
    purpose ledger.purpose NOT NULL,
    CONSTRAINT account_floor CHECK (balance >= floor)
) WITH (fillfactor = 50);

COMMENT ON COLUMN ledger.account.floor IS
'the lowest balance the row may ever show: what is held, less the overdraft limit, less how far the '
'account was below that when its limit was lowered; NULL: none';
COMMENT ON COLUMN ledger.account.overdraft_limit IS 'NULL: the account has no floor';
COMMENT ON COLUMN ledger.account.usual IS
'running, open, without limits of a day, floor exactly by what is held and the overdraft limit: all '
'that post_v1 asks of an account';
COMMENT ON COLUMN ledger.account.last_tick IS 'time part of the newest transfer id, see ids.sql';
COMMENT ON COLUMN ledger.account.spent IS 'counted against the daily limit on spent_day';

CREATE INDEX account_summed_number ON ledger.account (number) WHERE NOT running;

-- Who may see an account, and who may spend from it.
CREATE TABLE ledger.holder (
    account bigint NOT NULL REFERENCES ledger.account,
    user_id bigint NOT NULL,
    rights text NOT NULL CHECK (rights IN ('owner', 'authorised')),
    PRIMARY KEY (user_id, account)
);
CREATE INDEX holder_account ON ledger.holder (account);

-- A daily ceiling for what one account pays to one other; touched under the payer's lock.
CREATE TABLE ledger.payee_limit (
    account bigint NOT NULL REFERENCES ledger.account,
    payee bigint NOT NULL,
    daily_limit bigint NOT NULL CHECK (daily_limit >= 0),
    spent bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
    spent_day date NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (account, payee)
);

-- One row is one transfer: both legs, both balances after it. An unbalanced entry cannot be written.
-- No foreign keys: the functions check the accounts under their locks. `xid` lets tailers read in an
-- order that never skips a row that commits late.
CREATE TABLE ledger.journal (
    id uuid NOT NULL,
    xid xid8 NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    amount ledger.positive NOT NULL,
    debit_after bigint,
    credit_after bigint,
    client bigint NOT NULL,
    event_at timestamptz NOT NULL,
    group_id uuid,
    kind text NOT NULL,
    channel text NOT NULL,
    reference text,
    memo text,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE INDEX journal_debit ON ledger.journal (debit, id);
CREATE INDEX journal_credit ON ledger.journal (credit, id);
CREATE INDEX journal_xid ON ledger.journal (xid, id);

COMMENT ON COLUMN ledger.journal.group_id IS
'id of the first of several legs that stand or fall together; their ids follow one another closely';
COMMENT ON COLUMN ledger.journal.debit_after IS 'NULL: the debit account is summed';
COMMENT ON COLUMN ledger.journal.credit_after IS 'NULL: the credit account is summed';
COMMENT ON COLUMN ledger.journal.client IS 'the user, or the owner of the API key; 0: the bank';
COMMENT ON COLUMN ledger.journal.event_at IS 'when it happened; the id holds when it was recorded';

-- Money requests answered so far. A key is claimed in the posting's own transaction.
CREATE TABLE ledger.request (
    client bigint NOT NULL,
    key text NOT NULL,
    hash bytea NOT NULL,
    result_id uuid NOT NULL,
    refused_items integer [],
    refused_codes smallint [],
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (client, key)
);

-- References that a client wants to use once only.
CREATE TABLE ledger.reference (
    client bigint NOT NULL,
    reference text NOT NULL CHECK (reference <> '' AND length(reference) <= 64),
    transfer_id uuid NOT NULL,
    PRIMARY KEY (client, reference)
);

CREATE TABLE ledger.reversal (
    original_id uuid PRIMARY KEY,
    reversal_id uuid NOT NULL UNIQUE
);

-- Money set aside: it stays on the account and cannot be spent. An expired hold counts no longer
-- from its very second on, whether or not it has been tidied away.
CREATE TABLE ledger.hold (
    id uuid PRIMARY KEY,
    account bigint NOT NULL REFERENCES ledger.account,
    payee bigint NOT NULL REFERENCES ledger.account,
    amount bigint NOT NULL CHECK (amount > 0),
    captured bigint NOT NULL DEFAULT 0,
    client bigint NOT NULL,
    placed_day date NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    transfer_id uuid,
    state text NOT NULL DEFAULT 'open'
    CHECK (state IN ('open', 'captured', 'released', 'expired')),
    memo text,
    CHECK (captured BETWEEN 0 AND amount),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'captured') = (captured > 0)),
    CHECK ((state = 'captured') = (transfer_id IS NOT NULL))
);
CREATE INDEX hold_open ON ledger.hold (account, expires_at) WHERE state = 'open';
CREATE INDEX hold_expiry ON ledger.hold (expires_at) WHERE state = 'open';

-- What was done to accounts, apart from postings.
CREATE TABLE ledger.account_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bigint NOT NULL REFERENCES ledger.account,
    action text NOT NULL,
    client bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX account_event_account ON ledger.account_event (account, id);

-- Summed accounts: what their legs add up to, for all rows up to the cursor in (xid, id) order.
CREATE TABLE ledger.folded (
    account bigint PRIMARY KEY REFERENCES ledger.account,
    balance bigint NOT NULL
);

-- Where each reader of the journal stands. `cluster` is the server whose transaction ids these are;
-- on another one they mean nothing.
CREATE TABLE ledger.tail (
    name text PRIMARY KEY,
    cluster bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT '0',
    id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);

CREATE SEQUENCE ledger.account_serial;
-- Why something was refused. A single request raises the SQLSTATE BKnnn, a batch answers with the
-- number for the item. transactions/ledger/codes.py lists the same, and a test compares them.

CREATE FUNCTION ledger.code_name_v1(p_code smallint) RETURNS text
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
    WHEN 30 THEN 'insufficient_funds'
    WHEN 31 THEN 'daily_limit_exceeded'
    WHEN 32 THEN 'payee_limit_exceeded'
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
CREATE FUNCTION ledger.refuse_v1(p_code integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = ledger.code_name_v1(p_code::smallint),
        ERRCODE = 'BK' || lpad(p_code::text, 3, '0');
END
$$;
-- History is append-only, for every role: rights, row triggers and TRUNCATE triggers, all of them
-- firing even where session_replication_role is 'replica'.

CREATE FUNCTION ledger.refuse_rewrite() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only' USING
        ERRCODE = 'BK090',
        DETAIL = format('%s on %I.%I', tg_op, tg_table_schema, tg_table_name);
END
$$;

-- name: guard_v1
-- Put the guards on one table of the ledger. Row triggers of a partitioned table reach its
-- partitions by themselves, TRUNCATE triggers do not: partitions call this with `leaf` true.
CREATE FUNCTION ledger.guard_v1(p_table regclass, p_leaf boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT p_leaf THEN
        EXECUTE format(
            'CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON %s '
            'FOR EACH ROW EXECUTE FUNCTION ledger.refuse_rewrite()', p_table);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_rewrite', p_table);
    END IF;
    EXECUTE format(
        'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_rewrite()', p_table);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', p_table);
END
$$;

SELECT ledger.guard_v1('ledger.journal');
SELECT ledger.guard_v1('ledger.reversal');
SELECT ledger.guard_v1('ledger.reference');
SELECT ledger.guard_v1('ledger.account_event');
-- Transfer ids: UUID version 7 (RFC 9562) whose time part counts ticks of 1/4096 ms, made after the
-- account locks are held, so that ids on one account are in the order of its postings. PostgreSQL
-- before 18 has no uuidv7(), and its own keeps no order across sessions.

-- The clock, in ticks.
CREATE FUNCTION ledger.tick_v1() RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN (extract(EPOCH FROM clock_timestamp()) * 4096000)::bigint;

-- The random end of an id: 16 hexadecimal digits that start with the variant.
CREATE FUNCTION ledger.id_tail_v1() RETURNS text
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN translate(substr(gen_random_uuid()::text, 20), '-', '');

-- The id of one tick: 48 bits of milliseconds, the version, 12 bits of their fraction, the tail.
CREATE FUNCTION ledger.id_v1(p_tick bigint, p_tail text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (encode(int8send(((p_tick >> 12) << 16) | 28672 | (p_tick & 4095)), 'hex') || p_tail)::uuid;

-- The first possible id of an instant: lower bound of what was recorded from then on.
CREATE FUNCTION ledger.id_from_v1(p_at timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ledger.id_v1((extract(EPOCH FROM p_at) * 4096000)::bigint, '8000000000000000');

-- The tick of an id.
CREATE FUNCTION ledger.id_tick_v1(p_id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || translate(substr(p_id::text, 1, 13), '-', ''))::bit(48)::bigint << 12
| ('x' || substr(p_id::text, 16, 3))::bit(12)::bigint;

-- When the transfer of this id was recorded, to the microsecond.
CREATE FUNCTION ledger.id_time_v1(p_id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_timestamp(trunc(ledger.id_tick_v1(p_id) * 1000 / 4096.0) / 1000000);
-- The journal's partitions: one a month, made ahead, and a DEFAULT whose first row is an alarm.

CREATE TABLE ledger.journal_default PARTITION OF ledger.journal DEFAULT;
SELECT ledger.guard_v1('ledger.journal_default', true);

-- name: add_partition_v1
-- Make sure that the month of `p_month` (UTC) has its partition; true when one was added.
-- The table is made alone and then attached under a short lock_timeout: a prepared posting in flight
-- must not stop every posting behind it. Raises lock_not_available then; the caller comes again.
CREATE FUNCTION ledger.add_partition_v1(p_month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_month::timestamp) AT TIME ZONE 'UTC';
    v_name text := 'journal_' || to_char(v_month, 'YYYY_MM');
BEGIN
    IF to_regclass('ledger.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE ledger.%I (LIKE ledger.journal INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
        v_name);
    EXECUTE format(
        'ALTER TABLE ledger.journal ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
        v_name, ledger.id_from_v1(v_month), ledger.id_from_v1(v_month + interval '1 month'));
    PERFORM ledger.guard_v1(format('ledger.%I', v_name)::regclass, true);
    RETURN true;
END
$$;

-- name: rows_in_default_v1
-- How many transfers have landed in the DEFAULT partition: anything but 0 is an alarm.
CREATE FUNCTION ledger.rows_in_default_v1() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    -- A string, bound to the name: the table behind it changes with adopt_default_v1.
    SELECT count(*) FROM ledger.journal_default
$$;

-- name: adopt_default_v1
-- Make a month's partition of the DEFAULT one, with the rows that landed in it, and a new DEFAULT. For
-- the owner, when the alarm has sounded: rows must not be moved, since a moved row is published again
-- and stops the subscriber. All rows in DEFAULT must be of that month (UTC), or check_violation is
-- raised and nothing is changed. Locks the journal for as long as it takes to read those rows, and
-- raises lock_not_available rather than wait long for it.
CREATE FUNCTION ledger.adopt_default_v1(p_month date) RETURNS void
LANGUAGE plpgsql
SET search_path = ledger, pg_catalog, pg_temp
SET lock_timeout = '2s'
SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_month::timestamp) AT TIME ZONE 'UTC';
    v_name text := 'journal_' || to_char(v_month, 'YYYY_MM');
BEGIN
    ALTER TABLE ledger.journal DETACH PARTITION ledger.journal_default;
    EXECUTE format('ALTER TABLE ledger.journal_default RENAME TO %I', v_name);
    EXECUTE format(
        'ALTER TABLE ledger.journal ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
        v_name, ledger.id_from_v1(v_month), ledger.id_from_v1(v_month + interval '1 month'));
    CREATE TABLE ledger.journal_default PARTITION OF ledger.journal DEFAULT;
    PERFORM ledger.guard_v1('ledger.journal_default', true);
    GRANT SELECT ON ledger.journal_default TO bank_app, bank_readonly;
END
$$;

SELECT ledger.add_partition_v1((date_trunc('month', now()) + make_interval(months => ahead))::date)
FROM generate_series(0, 12) AS ahead;
-- Idempotency: one (client, key) posts once. The key is claimed in the posting's own transaction and
-- after its account locks, so that of many equal requests one posts and the others find its result.

-- name: claim_v1
-- Claim a key for the result `p_result_id`. Answers with the stored request when this one was answered
-- before, else with NULLs. Raises key_reused when the key stands for another request.
-- p_request is the request's text, the same for the same request and for no other.
CREATE FUNCTION ledger.claim_v1(
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
CREATE FUNCTION ledger.forget_requests_v1(p_age interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    WITH old AS (
        DELETE FROM ledger.request
        WHERE requested_at < now() - greatest(p_age, interval '30 days')
        RETURNING 1
    )
    SELECT count(*) FROM old
$$;
-- Posting one transfer. A refusal is an exception, and nothing is written.
--
-- Functions without SECURITY DEFINER, here and in the files after this one, are steps of those with
-- it: they run with their rights and search_path, and write nothing when called alone by bank_app.

-- Whether a kind of transfer counts against the payer's daily and per-payee limits.
CREATE FUNCTION ledger.is_spending_v1(p_kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_kind IN ('transfer', 'withdrawal', 'payment', 'card');

-- What forbids a transfer between two accounts whatever their balances, as a code; 0 for nothing.
-- An account that does not exist has a NULL status.
CREATE FUNCTION ledger.pair_code_v1(
    p_amount bigint, p_currency text,
    p_debit_status text, p_debit_currency text, p_credit_status text, p_credit_currency text
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN p_amount > 1000000000000000 THEN 11
    WHEN p_amount <= 0 OR p_amount IS NULL THEN 10
    WHEN p_debit_status IS NULL THEN 20
    WHEN p_credit_status IS NULL THEN 21
    WHEN p_debit_status = 'frozen' THEN 22
    WHEN p_credit_status = 'frozen' THEN 23
    WHEN p_debit_status = 'closed' THEN 24
    WHEN p_credit_status = 'closed' THEN 25
    WHEN p_debit_currency <> p_credit_currency THEN 26
    WHEN p_debit_currency = p_currency THEN 0
    ELSE 27
END;

-- name: expire_held_v1
-- End the holds of these accounts that have run out and free their money; answers with how many.
-- The caller has locked the accounts.
CREATE FUNCTION ledger.expire_held_v1(p_accounts bigint []) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH ended AS (
        UPDATE ledger.hold
        SET state = 'expired', ended_at = clock_timestamp()
        WHERE account = ANY(p_accounts) AND state = 'open' AND expires_at <= clock_timestamp()
        RETURNING account, amount
    ), freed AS (
        UPDATE ledger.account
        SET held = held - sums.total, floor = floor - sums.total, version = version + 1
        FROM (SELECT account, sum(amount)::bigint AS total FROM ended GROUP BY account) AS sums
        WHERE number = sums.account
    )
    SELECT count(*) FROM ended
$$;

-- name: use_payee_limit_v1
-- Count `p_amount` against what `p_account` may pay to `p_payee` on `p_day`; false when it is too
-- much. A negative amount gives back. The caller has locked the account.
CREATE FUNCTION ledger.use_payee_limit_v1(
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

-- name: lock_account_v1
-- Return one account, locked when it is running; all NULL when there is none. Callers lock in the
-- order of the numbers.
CREATE FUNCTION ledger.lock_account_v1(p_number bigint) RETURNS ledger.account
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
BEGIN
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number AND running FOR UPDATE;
    IF NOT FOUND THEN
        SELECT * INTO v_account FROM ledger.account WHERE number = p_number AND NOT running;
    END IF;
    RETURN v_account;
END
$$;

-- name: lock_pair_v1
-- Return the debit and the credit account of one transfer, locked in the order of their numbers.
CREATE FUNCTION ledger.lock_pair_v1(
    p_debit bigint, p_credit bigint, OUT debit ledger.account, OUT credit ledger.account
)
LANGUAGE plpgsql AS $$
BEGIN
    IF p_debit = p_credit THEN
        PERFORM ledger.refuse_v1(12);
    ELSIF p_debit < p_credit THEN
        debit := ledger.lock_account_v1(p_debit);
        credit := ledger.lock_account_v1(p_credit);
    ELSE
        credit := ledger.lock_account_v1(p_credit);
        debit := ledger.lock_account_v1(p_debit);
    END IF;
END
$$;

-- name: check_holder_v1
-- Raise unless a person (NULL: the bank, which may) holds rights on an account.
CREATE FUNCTION ledger.check_holder_v1(p_holder bigint, p_account bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_holder IS NOT NULL AND NOT EXISTS (
        SELECT FROM ledger.holder WHERE user_id = p_holder AND account = p_account
    ) THEN
        PERFORM ledger.refuse_v1(20);
    END IF;
END
$$;

-- name: check_spending_v1
-- Raise unless the locked account may spend `p_amount` more on `p_day`, to this payee.
CREATE FUNCTION ledger.check_spending_v1(
    p_account ledger.account, p_payee bigint, p_amount bigint, p_day date
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_spent bigint := CASE WHEN p_account.spent_day < p_day THEN 0 ELSE p_account.spent END;
BEGIN
    IF v_spent + p_amount > p_account.daily_limit THEN
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
CREATE FUNCTION ledger.check_available_v1(
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
-- the payer has set aside. Raises the refusal.
CREATE FUNCTION ledger.move_v1(
    p_tick bigint, p_id uuid, p_debit ledger.account, p_credit ledger.account, p_amount bigint,
    p_currency text, p_client bigint, p_kind text, p_channel text, p_day date, p_spend bigint,
    p_unhold bigint, p_event_at timestamptz, p_group_id uuid, p_reference text, p_memo text,
    OUT debit_after bigint, OUT credit_after bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    v_code integer := ledger.pair_code_v1(
        p_amount, p_currency, p_debit.status, p_debit.currency, p_credit.status, p_credit.currency);
BEGIN
    IF v_code <> 0 THEN
        PERFORM ledger.refuse_v1(v_code);
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
        PERFORM ledger.check_spending_v1(p_debit, p_credit.number, p_spend, p_day);
    END IF;
    INSERT INTO ledger.journal (
        id, xid, debit, credit, amount, debit_after, credit_after, client, event_at, group_id, kind,
        channel, reference, memo
    ) VALUES (
        p_id, pg_current_xact_id(), p_debit.number, p_credit.number, p_amount, debit_after,
        credit_after, p_client, coalesce(p_event_at, clock_timestamp()), p_group_id, p_kind,
        p_channel, p_reference, p_memo
    );
    IF p_debit.running THEN
        UPDATE ledger.account
        SET
            balance = debit_after,
            held = held - p_unhold,
            floor = floor - p_unhold,
            spent = greatest(CASE WHEN spent_day < p_day THEN 0 ELSE spent END + p_spend, 0),
            spent_day = greatest(spent_day, p_day),
            version = version + 1,
            last_tick = p_tick
        WHERE number = p_debit.number;
    END IF;
    IF p_credit.running THEN
        UPDATE ledger.account
        SET balance = credit_after, version = version + 1, last_tick = p_tick
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
CREATE FUNCTION ledger.post_fully_v1(
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
            replayed := true;
            SELECT j.id, j.debit_after, j.credit_after INTO transfer_id, debit_after, credit_after
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

-- name: post_v1
-- Post the usual transfer: between two usual accounts of one currency, with money enough, under a key
-- not used before. Arguments and answer as post_fully_v1, which decides everything else: whatever is
-- not so raises long_way or breaks a constraint (account_floor, request_pkey), nothing is written, and
-- the caller asks there.
--
-- Few and plain statements, since each costs more than the work it does. The updates lock the rows, in
-- the order of their numbers, and account_floor decides about the money. The id is made of the clock,
-- or above the last one of an account that was busy meanwhile; when that is the second account, the
-- first is brought up to it, so that its next id will be above this one.
CREATE FUNCTION ledger.post_v1(
    p_client bigint, p_key text, p_debit bigint, p_credit bigint, p_amount bigint, p_currency text,
    p_kind text, p_channel text, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_event_at timestamptz DEFAULT NULL,
    OUT transfer_id uuid, OUT debit_after bigint, OUT credit_after bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_tick bigint := extract(EPOCH FROM v_now) * 4096000;
    v_first_tick bigint;
    v_spend bigint := CASE WHEN ledger.is_spending_v1(p_kind) THEN p_amount ELSE 0 END;
BEGIN
    IF p_debit = p_credit THEN
        PERFORM ledger.refuse_v1(12);
    ELSIF p_holder IS NOT NULL THEN
        PERFORM ledger.check_holder_v1(p_holder, p_debit);
    END IF;
    IF p_debit > p_credit THEN
        UPDATE ledger.account
        SET
            balance = balance + side * p_amount,
            version = version + 1,
            last_tick = greatest(last_tick + 1, v_tick)
        WHERE number = p_credit AND usual AND currency = p_currency
        RETURNING balance, last_tick INTO credit_after, v_tick;
        v_first_tick := v_tick;
    END IF;
    UPDATE ledger.account
    SET
        balance = balance - side * p_amount,
        spent = CASE WHEN spent_day < p_day THEN v_spend ELSE spent + v_spend END,
        spent_day = greatest(spent_day, p_day),
        version = version + 1,
        last_tick = greatest(last_tick + 1, v_tick)
    WHERE number = p_debit AND usual AND currency = p_currency
    RETURNING balance, last_tick INTO debit_after, v_tick;
    IF p_debit < p_credit THEN
        v_first_tick := v_tick;
        UPDATE ledger.account
        SET
            balance = balance + side * p_amount,
            version = version + 1,
            last_tick = greatest(last_tick + 1, v_tick)
        WHERE number = p_credit AND usual AND currency = p_currency
        RETURNING balance, last_tick INTO credit_after, v_tick;
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
        p_client, coalesce(p_event_at, v_now), p_kind, p_channel, p_memo
    );
    IF p_key IS NOT NULL THEN
        INSERT INTO ledger.request (client, key, hash, result_id, requested_at)
        VALUES (
            p_client, p_key,
            sha256(convert_to(ROW(
                'post', p_debit, p_credit, p_amount, p_currency, p_kind, p_memo, p_reference,
                p_event_at
            )::text, 'UTF8')),
            transfer_id, v_now);
    END IF;
    replayed := false;
END
$$;
-- Posting many transfers in one statement, in order: earlier items count for later ones, linked items
-- stand or fall together, and each refused item has its code. Decided one by one in memory, written
-- in sets.

-- name: check_batch_v1
-- Raise unless a batch has its right shape: 1 to 10,000 items, arrays of equal length (NULL: left
-- out), accounts in ascending order, each once.
CREATE FUNCTION ledger.check_batch_v1(
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
CREATE FUNCTION ledger.reference_twins_v1(p_client bigint, p_reference text []) RETURNS integer []
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

-- name: post_batch_v1
-- Post up to 10,000 transfers under one key; answers with the id of the first item and, of the refused
-- ones alone, their places and codes. Item n has the id of the first one's tick + n - 1.
-- p_accounts lists each account once, in ascending order; p_debit and p_credit are places in it. All
-- arrays count from 1, and p_linked, p_memo, p_reference, p_event_at may be NULL as a whole. An item
-- with p_linked belongs together with the next one, and linked items are a group. p_day and p_holder
-- as in post_v1. Takes the node's batch lock, then the accounts in the order of their numbers.
CREATE FUNCTION ledger.post_batch_v1(
    p_client bigint, p_key text, p_accounts bigint [], p_debit integer [], p_credit integer [],
    p_amount bigint [], p_currency text [], p_kind text [], p_channel text, p_day date,
    p_holder bigint DEFAULT NULL, p_linked boolean [] DEFAULT NULL, p_memo text [] DEFAULT NULL,
    p_reference text [] DEFAULT NULL, p_event_at timestamptz [] DEFAULT NULL,
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
    v_hash CONSTANT bytea := sha256(
        array_send(p_accounts) || array_send(p_debit) || array_send(p_credit) || array_send(p_amount)
        || array_send(p_currency) || array_send(p_kind) || coalesce(array_send(p_linked), '\x')
        || coalesce(array_send(p_memo), '\x') || coalesce(array_send(p_reference), '\x')
        || coalesce(array_send(p_event_at), '\x'));
    v_request ledger.request;
    v_now timestamptz;
    v_tick bigint;
    v_tail text;
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
    v_payees boolean [];
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
            cardinality(p_event_at)
        ],
        p_accounts);
    PERFORM pg_advisory_xact_lock(7103, 1);
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
        array_agg(payee_limits ORDER BY k),
        array_agg(p_holder IS NOT NULL AND NOT EXISTS (
            SELECT FROM ledger.holder AS h WHERE h.user_id = p_holder AND h.account = u.number
        ) ORDER BY k)
    INTO v_balance, v_low, v_side, v_status, v_currency, v_spent, v_daily, v_payees, v_denied
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
            WHEN p_linked[i] AND i = v_items THEN 2
            WHEN d = c THEN 12
            WHEN v_denied[d] THEN 20
            ELSE ledger.pair_code_v1(
                v_amount, p_currency[i], v_status[d], v_currency[d], v_status[c], v_currency[c])
        END;
        IF v_result = 0 THEN
            v_new_debit := v_balance[d] - v_side[d] * v_amount;
            v_new_credit := v_balance[c] + v_side[c] * v_amount;
            v_spend := CASE WHEN ledger.is_spending_v1(p_kind[i]) THEN v_amount ELSE 0 END;
            v_result := CASE
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
                IF v_spent[d] + v_spend > v_daily[d] THEN
                    v_result := 31;
                ELSIF v_any_payees AND v_payees[d] AND NOT ledger.use_payee_limit_v1(
                    p_accounts[d], p_accounts[c], v_spend, p_day) THEN
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
                                p_accounts[d], p_accounts[c], - v_amount, p_day);
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
            kind, channel, reference, memo
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
            p_memo[t.n::integer]
        FROM unnest(p_debit, p_credit, p_amount, v_debit_after, v_credit_after, v_code, p_kind)
        WITH ORDINALITY AS t (debit, credit, amount, debit_after, credit_after, code, kind, n)
        WHERE t.code = 0;
        UPDATE ledger.account AS a
        SET
            balance = t.balance,
            spent = t.spent,
            spent_day = greatest(a.spent_day, p_day),
            version = a.version + 1,
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
-- Holds: money set aside for one payee, then captured, released or left to expire. What is held counts
-- against the limits of the day it was placed; what is given back on that day counts no longer.

-- name: hold_v1
-- Set `p_amount` of an account aside for a payee until `p_expires_at`; answers with the hold's id.
-- Locks the account. The same key and body again answers with the first hold, `replayed`.
CREATE FUNCTION ledger.hold_v1(
    p_client bigint, p_key text, p_account bigint, p_payee bigint, p_amount bigint, p_currency text,
    p_expires_at timestamptz, p_day date, p_holder bigint DEFAULT NULL, p_memo text DEFAULT NULL,
    OUT hold_id uuid, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.lock_account_v1(p_account);
    v_payee ledger.account;
    v_request ledger.request;
    v_code integer;
BEGIN
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
    SELECT * INTO v_payee FROM ledger.account WHERE number = p_payee;
    v_code := ledger.pair_code_v1(
        p_amount, p_currency, v_account.status, v_account.currency, v_payee.status, v_payee.currency);
    IF v_code <> 0 THEN
        PERFORM ledger.refuse_v1(v_code);
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
        spent_day = greatest(spent_day, p_day),
        version = version + 1
    WHERE number = p_account;
END
$$;

-- name: open_hold_v1
-- Return a hold that can still be used, locked; raises unknown_hold, hold_not_open or hold_expired.
-- The caller has locked its account.
CREATE FUNCTION ledger.open_hold_v1(p_hold uuid) RETURNS ledger.hold
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
CREATE FUNCTION ledger.capture_v1(
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
        SELECT j.id, j.debit_after, j.credit_after INTO transfer_id, debit_after, credit_after
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
CREATE FUNCTION ledger.give_back_v1(
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
CREATE FUNCTION ledger.release_v1(
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
        spent = greatest(spent - CASE WHEN spent_day = p_day THEN v_given_back ELSE 0 END, 0),
        version = version + 1
    WHERE number = v_hold.account;
END
$$;

-- name: expire_holds_v1
-- Tidy up to `p_limit` holds that have run out; answers with how many accounts were tidied. Postings
-- never wait for this. Locks the accounts in the order of their numbers.
CREATE FUNCTION ledger.expire_holds_v1(p_limit integer DEFAULT 1000) RETURNS bigint
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
-- Reversal: the opposite transfer, once, linked both ways. History is never edited.

-- name: legs_v1
-- Return the transfer of this id, or all legs of its group, newest first.
CREATE FUNCTION ledger.legs_v1(p_transfer uuid) RETURNS SETOF ledger.journal
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
-- reversing transfer. Raises already_reversed, not_reversible (of a reversal), or what forbids the
-- opposite transfer. Locks all accounts concerned in the order of their numbers.
CREATE FUNCTION ledger.reverse_v1(
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
    v_tail text := ledger.id_tail_v1();
    v_group uuid;
    v_id uuid;
BEGIN
    SELECT array_agg(leg ORDER BY leg.id DESC) INTO v_legs FROM ledger.legs_v1(p_transfer) AS leg;
    IF v_legs IS NULL THEN
        PERFORM ledger.refuse_v1(60);
    END IF;
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
        IF v_leg.kind = 'reversal' THEN
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
CREATE FUNCTION ledger.reverse_leg_v1(
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
-- Opening and governing accounts. Every change leaves an account event.

-- name: note_v1
-- Record what was done to an account.
CREATE FUNCTION ledger.note_v1(
    p_account bigint, p_action text, p_client bigint, p_reason text, p_details jsonb
) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO ledger.account_event (account, action, client, reason, details)
    VALUES (p_account, p_action, p_client, p_reason, p_details)
$$;

-- name: mark_usual_v1
-- Bring `usual` up to what governs an account; the last step of every change of that.
CREATE FUNCTION ledger.mark_usual_v1(p_number bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    UPDATE ledger.account
    SET usual = running AND status = 'open' AND daily_limit IS NULL AND NOT payee_limits
        AND floor IS NOT DISTINCT FROM held - overdraft_limit
    WHERE number = p_number
$$;

-- name: open_v1
-- Open an account at balance zero; false when the very same one is open already. p_side: +1 grows by
-- credit, -1 by debit. p_overdraft_limit NULL: no floor. Raises account_exists for another one under
-- this number.
CREATE FUNCTION ledger.open_v1(
    p_number bigint, p_currency text, p_purpose text, p_side smallint, p_running boolean,
    p_overdraft_limit bigint, p_daily_limit bigint, p_client bigint
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.account (
        number, currency, purpose, side, running, overdraft_limit, daily_limit, floor
    ) VALUES (
        p_number, p_currency, p_purpose, p_side, p_running, p_overdraft_limit, p_daily_limit,
        - p_overdraft_limit
    )
    ON CONFLICT (number) DO NOTHING;
    IF FOUND THEN
        PERFORM ledger.mark_usual_v1(p_number);
        PERFORM ledger.note_v1(p_number, 'open', p_client, NULL, jsonb_build_object(
            'purpose', p_purpose, 'currency', p_currency, 'overdraft_limit', p_overdraft_limit,
            'daily_limit', p_daily_limit));
        RETURN true;
    END IF;
    IF NOT EXISTS (
        SELECT FROM ledger.account
        WHERE number = p_number AND currency = p_currency AND purpose = p_purpose
            AND side = p_side AND running = p_running AND status <> 'closed'
    ) THEN
        PERFORM ledger.refuse_v1(70);
    END IF;
    RETURN false;
END
$$;

-- name: set_holder_v1
-- Give a person rights on an account ('owner' or 'authorised'), or with NULL take them away.
CREATE FUNCTION ledger.set_holder_v1(
    p_account bigint, p_user bigint, p_rights text, p_client bigint
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.account WHERE number = p_account) THEN
        PERFORM ledger.refuse_v1(71);
    END IF;
    IF p_rights IS NULL THEN
        DELETE FROM ledger.holder WHERE account = p_account AND user_id = p_user;
    ELSE
        INSERT INTO ledger.holder (account, user_id, rights) VALUES (p_account, p_user, p_rights)
        ON CONFLICT (user_id, account) DO UPDATE SET rights = excluded.rights;
    END IF;
    PERFORM ledger.note_v1(
        p_account, 'set_holder', p_client, NULL,
        jsonb_build_object('user', p_user, 'rights', p_rights));
END
$$;

-- name: change_account_v1
-- Return an account, locked for a change of what governs it; raises unknown_account or account_closed.
CREATE FUNCTION ledger.change_account_v1(p_number bigint) RETURNS ledger.account
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
BEGIN
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(71);
    ELSIF v_account.status = 'closed' THEN
        PERFORM ledger.refuse_v1(72);
    END IF;
    RETURN v_account;
END
$$;

-- name: set_status_v1
-- Freeze, unfreeze ('open') or close an account; closing is for good and needs balance zero and no
-- open hold. Raises balance_not_zero, hold_open, invalid_status. A summed account cannot be closed.
CREATE FUNCTION ledger.set_status_v1(
    p_number bigint, p_status text, p_client bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.change_account_v1(p_number);
BEGIN
    IF p_status IS NULL OR p_status NOT IN ('open', 'frozen', 'closed')
        OR p_status = 'closed' AND NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_status = 'closed' THEN
        PERFORM ledger.expire_held_v1(ARRAY[p_number]);
        SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
        IF v_account.held > 0 THEN
            PERFORM ledger.refuse_v1(74);
        ELSIF v_account.balance <> 0 THEN
            PERFORM ledger.refuse_v1(73);
        END IF;
    END IF;
    UPDATE ledger.account SET status = p_status, version = version + 1 WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(
        p_number, 'set_status', p_client, p_reason,
        jsonb_build_object('from', v_account.status, 'to', p_status));
END
$$;

-- name: set_limits_v1
-- Set what an account may owe (NULL: no floor) and spend in a day (NULL: any amount). A limit may be
-- set below what is owed already: then nothing more goes out, and nothing else happens. Raises
-- invalid_limit for one below zero.
CREATE FUNCTION ledger.set_limits_v1(
    p_number bigint, p_overdraft_limit bigint, p_daily_limit bigint, p_client bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.change_account_v1(p_number);
BEGIN
    IF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_overdraft_limit < 0 OR p_daily_limit < 0 THEN
        PERFORM ledger.refuse_v1(76);
    END IF;
    UPDATE ledger.account
    SET
        overdraft_limit = p_overdraft_limit,
        daily_limit = p_daily_limit,
        floor = CASE WHEN p_overdraft_limit IS NOT NULL THEN least(held - p_overdraft_limit, balance) END,
        version = version + 1
    WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(p_number, 'set_limits', p_client, p_reason, jsonb_build_object(
        'overdraft_limit', p_overdraft_limit, 'daily_limit', p_daily_limit,
        'overdraft_limit_before', v_account.overdraft_limit,
        'daily_limit_before', v_account.daily_limit));
END
$$;

-- name: set_payee_limit_v1
-- Set what an account may pay to one payee in a day; NULL lifts the limit. A summed account
-- has none: raises invalid_status. Raises invalid_limit for one below zero.
CREATE FUNCTION ledger.set_payee_limit_v1(
    p_number bigint, p_payee bigint, p_daily_limit bigint, p_client bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account := ledger.change_account_v1(p_number);
BEGIN
    IF NOT v_account.running THEN
        PERFORM ledger.refuse_v1(75);
    ELSIF p_daily_limit < 0 THEN
        PERFORM ledger.refuse_v1(76);
    END IF;
    IF p_daily_limit IS NULL THEN
        DELETE FROM ledger.payee_limit WHERE account = p_number AND payee = p_payee;
    ELSE
        INSERT INTO ledger.payee_limit (account, payee, daily_limit)
        VALUES (p_number, p_payee, p_daily_limit)
        ON CONFLICT (account, payee) DO UPDATE SET daily_limit = excluded.daily_limit;
    END IF;
    UPDATE ledger.account
    SET
        payee_limits = EXISTS (SELECT FROM ledger.payee_limit WHERE account = p_number),
        version = version + 1
    WHERE number = p_number;
    PERFORM ledger.mark_usual_v1(p_number);
    PERFORM ledger.note_v1(
        v_account.number, 'set_payee_limit', p_client, p_reason,
        jsonb_build_object('payee', p_payee, 'daily_limit', p_daily_limit));
END
$$;
-- Tails: readers of the journal that miss nothing. They read by (xid, id) and only what is older than
-- every transaction in flight, so a transfer that commits late is still ahead of the cursor.

-- name: lock_tail_v1
-- Return the cursor of a tail, locked, made at the journal's beginning on first use. Raises
-- other_cluster when its transaction ids are another server's: after a restore, say.
CREATE FUNCTION ledger.lock_tail_v1(p_name text) RETURNS ledger.tail
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_cluster bigint := (SELECT system_identifier FROM pg_control_system());
    v_tail ledger.tail;
BEGIN
    INSERT INTO ledger.tail (name, cluster) VALUES (p_name, v_cluster) ON CONFLICT DO NOTHING;
    SELECT * INTO v_tail FROM ledger.tail WHERE name = p_name FOR UPDATE;
    IF v_tail.cluster <> v_cluster THEN
        PERFORM ledger.refuse_v1(91);
    END IF;
    RETURN v_tail;
END
$$;

-- name: read_tail_v1
-- Return up to `p_limit` transfers after the cursor of a tail, in cursor order.
CREATE FUNCTION ledger.read_tail_v1(p_name text, p_limit integer) RETURNS SETOF ledger.journal
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    SELECT j.*
    FROM ledger.journal AS j
    WHERE (j.xid, j.id) > (
        (SELECT xid FROM ledger.tail WHERE name = p_name),
        (SELECT id FROM ledger.tail WHERE name = p_name)
    ) AND j.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY j.xid, j.id
    LIMIT p_limit
$$;

-- name: advance_tail_v1
-- Move the cursor of a tail to the transfer last worked on; never back. Saved together with the effect
-- when called in its transaction.
CREATE FUNCTION ledger.advance_tail_v1(p_name text, p_xid xid8, p_id uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    UPDATE ledger.tail SET xid = p_xid, id = p_id
    WHERE name = p_name AND (xid, id) < (p_xid, p_id)
$$;
-- What statements, journals and balances read. Amounts in minor units.

-- One row a leg: the journal as each account sees it.
CREATE VIEW ledger.entry AS
SELECT
    j.debit AS account,
    j.id,
    'debit'::text AS leg,
    - a.side * j.amount AS change,
    j.debit_after AS balance_after,
    j.credit AS counterparty,
    j.amount, j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id, j.client,
    a.currency
FROM ledger.journal AS j
INNER JOIN ledger.account AS a ON a.number = j.debit
UNION ALL
SELECT
    j.credit AS account,
    j.id,
    'credit'::text AS leg,
    a.side * j.amount AS change,
    j.credit_after AS balance_after,
    j.debit AS counterparty,
    j.amount, j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id, j.client,
    a.currency
FROM ledger.journal AS j
INNER JOIN ledger.account AS a ON a.number = j.credit;

-- What all legs of summed accounts after the fold's cursor add up to.
CREATE VIEW ledger.unfolded AS
SELECT leg.account, sum(leg.change)::bigint AS change
FROM (
    SELECT j.debit AS account, - a.side * j.amount AS change
    FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.debit AND NOT a.running
    WHERE (j.xid, j.id) > (
        coalesce((SELECT xid FROM ledger.tail WHERE name = 'fold'), '0'::xid8),
        coalesce((SELECT id FROM ledger.tail WHERE name = 'fold'), '00000000-0000-0000-0000-000000000000')
    )
    UNION ALL
    SELECT j.credit, a.side * j.amount
    FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.credit AND NOT a.running
    WHERE (j.xid, j.id) > (
        coalesce((SELECT xid FROM ledger.tail WHERE name = 'fold'), '0'::xid8),
        coalesce((SELECT id FROM ledger.tail WHERE name = 'fold'), '00000000-0000-0000-0000-000000000000')
    )
) AS leg
GROUP BY leg.account;

-- Every account's balance now, and what of it can go out (NULL: no floor). Holds that have run out
-- do not count, tidied or not.
CREATE VIEW ledger.balance AS
SELECT
    a.number,
    a.currency,
    c.exponent,
    a.purpose,
    a.side,
    a.running,
    a.status,
    b.balance,
    h.held,
    a.overdraft_limit,
    a.daily_limit,
    CASE WHEN a.overdraft_limit IS NOT NULL THEN b.balance - h.held + a.overdraft_limit END AS available
FROM ledger.account AS a
INNER JOIN ledger.currency AS c ON c.code = a.currency
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN a.running THEN a.balance
        ELSE coalesce((SELECT f.balance FROM ledger.folded AS f WHERE f.account = a.number), 0)
        + coalesce((SELECT u.change FROM ledger.unfolded AS u WHERE u.account = a.number), 0)
    END AS balance
) AS b
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN a.held = 0 THEN 0
        ELSE a.held - coalesce((
            SELECT sum(x.amount) FROM ledger.hold AS x
            WHERE x.account = a.number AND x.state = 'open' AND x.expires_at <= clock_timestamp()
        ), 0)
    END::bigint AS held
) AS h;

-- The books of a node: what all accounts of a purpose hold, and per currency the two sides, which are
-- equal at every instant.
CREATE VIEW ledger.trial_balance AS
SELECT
    currency,
    purpose,
    side,
    count(*) AS accounts,
    sum(balance) AS balance,
    sum(CASE side WHEN -1 THEN balance ELSE 0 END) AS debit_balance,
    sum(CASE side WHEN 1 THEN balance ELSE 0 END) AS credit_balance
FROM ledger.balance
GROUP BY currency, purpose, side;

-- name: balance_at_v1
-- The balance of an account by all that was recorded before an instant, which must be past. The answer,
-- once given, never changes: postings in flight on a running account are waited for, and later ones
-- get later ids, since the account's last tick is brought up to the instant. A day is longer than any
-- posting can have waited with its clock read. Raises unknown_account, instant_in_future.
CREATE FUNCTION ledger.balance_at_v1(p_number bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account;
    v_before uuid := ledger.id_from_v1(p_at);
    v_debit ledger.journal;
    v_credit ledger.journal;
BEGIN
    IF p_at > clock_timestamp() THEN
        PERFORM ledger.refuse_v1(84);
    END IF;
    PERFORM FROM ledger.account WHERE number = p_number AND running FOR NO KEY UPDATE;
    UPDATE ledger.account SET last_tick = ledger.id_tick_v1(v_before)
    WHERE number = p_number AND running AND last_tick < ledger.id_tick_v1(v_before)
        AND p_at > clock_timestamp() - interval '1 day';
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(71);
    ELSIF NOT v_account.running THEN
        RETURN v_account.side * (
            coalesce((SELECT sum(amount) FROM ledger.journal WHERE credit = p_number AND id < v_before), 0)
            - coalesce((SELECT sum(amount) FROM ledger.journal WHERE debit = p_number AND id < v_before), 0)
        );
    END IF;
    SELECT * INTO v_debit FROM ledger.journal
    WHERE debit = p_number AND id < v_before ORDER BY id DESC LIMIT 1;
    SELECT * INTO v_credit FROM ledger.journal
    WHERE credit = p_number AND id < v_before ORDER BY id DESC LIMIT 1;
    RETURN CASE
        WHEN v_debit.id IS NULL AND v_credit.id IS NULL THEN 0
        WHEN v_credit.id IS NULL OR v_debit.id > v_credit.id THEN v_debit.debit_after
        ELSE v_credit.credit_after
    END;
END
$$;

-- name: fold_v1
-- Add the settled legs of summed accounts to their folded balances; answers with how many transfers
-- were read. Safe to run at any time, and twice at once.
CREATE FUNCTION ledger.fold_v1() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_tail ledger.tail;
    v_settled xid8;
    v_read bigint;
BEGIN
    v_tail := ledger.lock_tail_v1('fold');
    -- Taken before the rows are read: all that is older is over, and visible to what comes next.
    v_settled := pg_snapshot_xmin(pg_current_snapshot());
    WITH legs AS (
        SELECT debit, credit, amount FROM ledger.journal
        WHERE (xid, id) > (v_tail.xid, v_tail.id) AND xid < v_settled
    ), changes AS (
        SELECT a.number, sum(leg.change)::bigint AS change
        FROM (
            SELECT debit AS account, - amount AS change FROM legs
            UNION ALL
            SELECT credit, amount FROM legs
        ) AS leg
        INNER JOIN ledger.account AS a ON a.number = leg.account AND NOT a.running
        GROUP BY a.number
    ), folded AS (
        INSERT INTO ledger.folded AS f (account, balance)
        SELECT c.number, a.side * c.change FROM changes AS c
        INNER JOIN ledger.account AS a USING (number)
        ON CONFLICT (account) DO UPDATE SET balance = f.balance + excluded.balance
    )
    SELECT count(*) INTO v_read FROM legs;
    UPDATE ledger.tail
    SET xid = v_settled, id = '00000000-0000-0000-0000-000000000000'
    WHERE name = 'fold' AND xid < v_settled;
    RETURN v_read;
END
$$;
-- Who may do what: bank_app reads everything and calls the functions that are made for it;
-- bank_readonly reads.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO bank_app, bank_readonly;
GRANT USAGE ON SEQUENCE ledger.account_serial TO bank_app;

-- To bank_app what runs as the owner and what computes only. The rest are steps of those, or the
-- owner's own work.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'ledger'::regnamespace AND (prosecdef OR provolatile = 'i')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO bank_app', v_function);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION ledger.id_from_v1 (timestamptz) TO bank_app;

GRANT EXECUTE ON FUNCTION ledger.id_v1 (bigint, text) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_from_v1 (timestamptz) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_time_v1 (uuid) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_tick_v1 (uuid) TO bank_readonly;

INSERT INTO ledger.currency (code, numeric_code, exponent) VALUES ('INR', 356, 2);
