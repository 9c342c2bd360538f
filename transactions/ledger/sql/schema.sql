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
CREATE DOMAIN ledger.status AS text CHECK (value IN ('open', 'frozen', 'closed', 'moved'));
CREATE DOMAIN ledger.purpose AS text CHECK (value ~ '^[a-z_]{2,24}$');

CREATE TABLE ledger.currency (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    numeric_code smallint NOT NULL UNIQUE CHECK (numeric_code BETWEEN 1 AND 999),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);

-- Running accounts are locked and checked with every posting. Summed ones (the bank's own busy
-- accounts without a floor) are never locked: their balance is a fold of their legs.
-- HOT updates need room on the page and no index on what changes. Nothing refers to it by foreign
-- key: each would be asked with every posting (six of them cost 7 %), and numbers are given once and
-- never deleted. check_books looks for rows of unknown accounts.
CREATE TABLE ledger.account (
    number ledger.positive PRIMARY KEY,
    balance bigint NOT NULL DEFAULT 0,
    floor bigint,
    held ledger.not_negative NOT NULL DEFAULT 0,
    overdraft_limit ledger.not_negative,
    daily_limit ledger.not_negative,
    spent bigint NOT NULL DEFAULT 0,
    last_tick bigint NOT NULL DEFAULT 0,
    spent_day date NOT NULL DEFAULT '-infinity',
    side ledger.side NOT NULL,
    running boolean NOT NULL,
    payee_limits boolean NOT NULL DEFAULT false,
    usual boolean NOT NULL DEFAULT false,
    status ledger.status NOT NULL DEFAULT 'open',
    currency text NOT NULL REFERENCES ledger.currency,
    purpose ledger.purpose NOT NULL,
    transfer_limit ledger.not_negative,
    CONSTRAINT account_floor CHECK (balance >= floor)
) WITH (fillfactor = 50);

COMMENT ON COLUMN ledger.account.floor IS
'the lowest balance the row may ever show: what is held, less the overdraft limit, less how far the '
'account was below that when its limit was lowered; NULL: none';
COMMENT ON COLUMN ledger.account.overdraft_limit IS 'NULL: the account has no floor';
COMMENT ON COLUMN ledger.account.transfer_limit IS
'the most that one transfer may spend; NULL: any amount';
COMMENT ON COLUMN ledger.account.usual IS
'running, open, without limits of spending, floor exactly by what is held and the overdraft limit: all '
'that post_v1 asks of an account';
COMMENT ON COLUMN ledger.account.last_tick IS 'time part of the newest transfer id, see ids.sql';
COMMENT ON COLUMN ledger.account.spent IS 'counted against the daily limit on spent_day';

CREATE INDEX account_summed_number ON ledger.account (number) WHERE NOT running;

-- Who may see an account, and who may spend from it.
CREATE TABLE ledger.holder (
    account bigint NOT NULL,
    user_id bigint NOT NULL,
    rights text NOT NULL CHECK (rights IN ('owner', 'authorised')),
    PRIMARY KEY (user_id, account)
);
CREATE INDEX holder_account ON ledger.holder (account);

-- A daily ceiling for what one account pays to one other; touched under the payer's lock.
CREATE TABLE ledger.payee_limit (
    account bigint NOT NULL,
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
    peer bigint,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE INDEX journal_debit ON ledger.journal (debit, id);
CREATE INDEX journal_credit ON ledger.journal (credit, id);
CREATE INDEX journal_xid ON ledger.journal (xid, id);

COMMENT ON COLUMN ledger.journal.group_id IS
'id of the first of several legs that stand or fall together; their ids follow one another closely';
COMMENT ON COLUMN ledger.journal.debit_after IS 'NULL: the debit account is summed';
COMMENT ON COLUMN ledger.journal.credit_after IS 'NULL: the credit account is summed';
COMMENT ON COLUMN ledger.journal.peer IS
'the account at the other end, where that is on another node and the leg here is a clearing account''s'
;
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
    account bigint NOT NULL,
    payee bigint NOT NULL,
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
    account bigint NOT NULL,
    action text NOT NULL,
    client bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX account_event_account ON ledger.account_event (account, id);

-- Summed accounts: what their legs add up to, for all rows up to the cursor in (xid, id) order.
CREATE TABLE ledger.folded (
    account bigint PRIMARY KEY,
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
