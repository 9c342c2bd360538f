-- The operation log reads what was done to accounts by time.
CREATE INDEX account_event_recorded_at ON ledger.account_event (recorded_at, id);
