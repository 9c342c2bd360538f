-- The bank's five database roles. Run once on each server, as a superuser, in any database.
-- Passwords are set apart from this file: ALTER ROLE bank_app PASSWORD '…'.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['bank_owner', 'bank_app', 'bank_readonly'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', role_name);
        END IF;
    END LOOP;
    -- Copies what the nodes publish. It reads no table that is not published; let pg_hba.conf admit it
    -- to the bank's databases only, never to `replication`, where whole servers are copied.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_replica') THEN
        CREATE ROLE bank_replica LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    -- Backs the whole server up; let pg_hba.conf admit it to `replication` and to the bank's databases.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_backup') THEN
        CREATE ROLE bank_backup LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
END
$$;
