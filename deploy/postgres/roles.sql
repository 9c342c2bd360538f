-- The bank's three database roles. Run once on each server, as a superuser, in any database.
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
END
$$;
