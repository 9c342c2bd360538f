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
SET search_path = ledger, pg_catalog, pg_temp AS $$
    -- A string, bound to the name: the table behind it changes with adopt_default_v1.
    SELECT count(*) FROM ledger.journal_default
$$;

-- name: adopt_default_v1
-- Make a month's partition of the DEFAULT one, with the rows that landed in it, and a new DEFAULT. For
-- the owner, when the alarm has sounded: rows must not be moved, since a moved row is published again
-- and stops the subscriber. All rows in DEFAULT must be of that month (UTC), or check_violation is
-- raised and nothing is changed. Locks the journal for as long as it takes to read those rows, and
-- raises lock_not_available rather than wait long for it.
CREATE FUNCTION ledger.adopt_default_v1(p_month date) RETURNS void
LANGUAGE plpgsql
SET search_path = ledger, pg_catalog, pg_temp
SET lock_timeout = '2s'
SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_month::timestamp) AT TIME ZONE 'UTC';
    v_name text := 'journal_' || to_char(v_month, 'YYYY_MM');
BEGIN
    ALTER TABLE ledger.journal DETACH PARTITION ledger.journal_default;
    EXECUTE format('ALTER TABLE ledger.journal_default RENAME TO %I', v_name);
    EXECUTE format(
        'ALTER TABLE ledger.journal ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
        v_name, ledger.id_from_v1(v_month), ledger.id_from_v1(v_month + interval '1 month'));
    CREATE TABLE ledger.journal_default PARTITION OF ledger.journal DEFAULT;
    PERFORM ledger.guard_v1('ledger.journal_default', true);
    GRANT SELECT ON ledger.journal_default TO bank_app, bank_readonly;
END
$$;

SELECT ledger.add_partition_v1((date_trunc('month', now()) + make_interval(months => ahead))::date)
FROM generate_series(0, 12) AS ahead;
