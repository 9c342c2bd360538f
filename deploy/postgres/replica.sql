-- Rights inside the database of the reporting replica, beside those of database.sql. Run once as a
-- superuser, in that database. Its server is for the replica alone.
-- bank_owner subscribes to the nodes; PostgreSQL 15 lets superusers alone do that.
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 160000 THEN
        GRANT pg_create_subscription TO bank_owner;
    ELSE
        ALTER ROLE bank_owner SUPERUSER;
    END IF;
END
$$;

-- Its statements hold the password of bank_replica, and would be logged whole when they fail.
GRANT SET ON PARAMETER log_min_error_statement TO bank_owner;

-- Readers must see how far the copy has come.
GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status() TO bank_owner, bank_readonly;
