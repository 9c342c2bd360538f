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

GRANT EXECUTE ON FUNCTION ledger.id_v1 (bigint, bigint) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_from_v1 (timestamptz) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_time_v1 (uuid) TO bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.id_tick_v1 (uuid) TO bank_readonly;
