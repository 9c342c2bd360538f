-- Holds are told of as they change: readers stand at a transaction id, as those of the journal do, see
-- tails.sql.
ALTER TABLE ledger.hold ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX hold_xid ON ledger.hold (xid);
COMMENT ON COLUMN ledger.hold.xid IS 'the transaction that changed the hold last';

-- name: note_change_v1
-- Note which transaction changes a row.
CREATE OR REPLACE FUNCTION ledger.note_change_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    new.xid := pg_current_xact_id();
    RETURN new;
END
$$;
REVOKE ALL ON FUNCTION ledger.note_change_v1 FROM PUBLIC;

CREATE TRIGGER note_change BEFORE UPDATE ON ledger.hold
FOR EACH ROW EXECUTE FUNCTION ledger.note_change_v1();
