-- What a ledger made by 0001 of an earlier release lacks or has too much of. A new one has it so already.

-- The accounts first, as postings lock them: who held the journal already would wait for postings that wait
-- for the journal, each time anew.
LOCK TABLE ledger.account IN ACCESS EXCLUSIVE MODE;
ALTER TABLE ledger.journal ADD COLUMN IF NOT EXISTS peer bigint;
COMMENT ON COLUMN ledger.journal.peer IS
'the account at the other end, where that is on another node and the leg here is a clearing account''s'
;
ALTER TABLE ledger.account DROP COLUMN IF EXISTS version;
ALTER TABLE ledger.account ADD COLUMN IF NOT EXISTS transfer_limit ledger.not_negative;
ALTER TABLE ledger.holder DROP CONSTRAINT IF EXISTS holder_account_fkey;
ALTER TABLE ledger.payee_limit DROP CONSTRAINT IF EXISTS payee_limit_account_fkey;
ALTER TABLE ledger.hold DROP CONSTRAINT IF EXISTS hold_account_fkey;
ALTER TABLE ledger.hold DROP CONSTRAINT IF EXISTS hold_payee_fkey;
ALTER TABLE ledger.account_event DROP CONSTRAINT IF EXISTS account_event_account_fkey;
ALTER TABLE ledger.folded DROP CONSTRAINT IF EXISTS folded_account_fkey;

ALTER DOMAIN ledger.status DROP CONSTRAINT status_check;
ALTER DOMAIN ledger.status ADD CONSTRAINT status_check
CHECK (value IN ('open', 'frozen', 'closed', 'moved'));

-- Functions that have other arguments now.
DROP FUNCTION ledger.id_from_v1(timestamptz);
DROP FUNCTION IF EXISTS ledger.id_v1(bigint, text);
DROP FUNCTION ledger.id_tail_v1();
DROP FUNCTION IF EXISTS ledger.move_v1(
    bigint, uuid, ledger.account, ledger.account, bigint, text, bigint, text, text, date, bigint,
    bigint, timestamptz, uuid, text, text
);
DROP FUNCTION IF EXISTS ledger.post_batch_v1(
    bigint, text, bigint [], integer [], integer [], bigint [], text [], text [], text, date, bigint,
    boolean [], text [], text [], timestamptz []
);
