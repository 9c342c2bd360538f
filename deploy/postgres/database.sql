-- Rights inside one bank database. Run once as a superuser, in that database, after roles.sql.
-- bank_owner migrates; bank_app works; bank_readonly looks; bank_replica copies what is published;
-- bank_backup marks points to restore to. Nobody else gets in.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO bank_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO bank_app, bank_readonly, bank_replica, bank_backup',
        current_database()
    );
END
$$;

ALTER SCHEMA public OWNER TO bank_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bank_app, bank_readonly;

GRANT EXECUTE ON FUNCTION pg_create_restore_point(text), pg_switch_wal() TO bank_backup;

-- What migrations create in `public` is the application's to fill. The ledger has a schema of its
-- own, where nothing is granted by default.
ALTER DEFAULT PRIVILEGES FOR ROLE bank_owner IN SCHEMA public
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bank_app;
ALTER DEFAULT PRIVILEGES FOR ROLE bank_owner IN SCHEMA public
GRANT USAGE, SELECT ON SEQUENCES TO bank_app;
