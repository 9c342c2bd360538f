-- Who may do what: bank_app reads everything and calls the functions; bank_readonly reads.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger TO bank_app;
REVOKE EXECUTE ON FUNCTION ledger.guard_v1 (regclass, boolean) FROM bank_app;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO bank_app, bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_v1 (bigint, text) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_from_v1 (timestamptz) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_time_v1 (uuid) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_tick_v1 (uuid) TO bank_readonly;
GRANT USAGE ON SEQUENCE ledger.account_serial TO bank_app;
