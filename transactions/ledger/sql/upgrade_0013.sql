-- What a ledger of an earlier release has too much of. A new one has it so already.
ALTER TABLE ledger.account REPLICA IDENTITY DEFAULT;
DROP INDEX IF EXISTS ledger.account_place;
DROP FUNCTION IF EXISTS ledger.book_cash_v1;
