-- The journal's partitions: one a month, made ahead, and a DEFAULT whose first row is an alarm.

CREATE TABLE ledger.journal_default PARTITION OF ledger.journal DEFAULT;
SELECT ledger.guard_v1('ledger.journal_default', true);

-- name: add_partition_v1
-- Make sure that the month of `p_month` (UTC) has its partition; true when one was added.
-- The table is made alone and then attached under a short lock_timeout: a prepared posting in flight
-- must not stop every posting behind it. Raises lock_not_available then; the caller comes again.
CREATE FUNCTION ledger.add_partition_v1(p_month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_month::timestamp) AT TIME ZONE 'UTC';
    v_name text := 'journal_' || to_char(v_month, 'YYYY_MM');
BEGIN
    IF to_regclass('ledger.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE ledger.%I (LIKE ledger.journal INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
        v_name);
    EXECUTE format(
        'ALTER TABLE ledger.journal ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
        v_name, ledger.id_from_v1(v_month), ledger.id_from_v1(v_month + interval '1 month'));
    PERFORM ledger.guard_v1(format('ledger.%I', v_name)::regclass, true);
    RETURN true;
END
$$;

-- name: rows_in_default_v1
-- How many transfers have landed in the DEFAULT partition: anything but 0 is an alarm.
CREATE FUNCTION ledger.rows_in_default_v1() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp
RETURN (SELECT count(*) FROM ledger.journal_default);

SELECT ledger.add_partition_v1((date_trunc('month', now()) + make_interval(months => ahead))::date)
FROM generate_series(0, 12) AS ahead;
