-- What the doctor asks a node, as the role that the bank connects as.

-- name: role
SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication
FROM pg_roles
WHERE rolname = current_user

-- name: writable
-- Tables of a schema that the role may change past the functions that guard them.
SELECT c.relname
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s
    AND c.relkind IN ('r', 'p')
    AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY c.relname

-- name: everybody
-- What whoever has any role of the server may do here.
SELECT
    has_database_privilege('public', current_database(), 'CONNECT'),
    has_schema_privilege('public', 'public', 'CREATE')

-- name: server
SELECT
    current_setting('server_version_num')::integer / 10000,
    current_setting('full_page_writes')::boolean,
    current_setting('data_checksums')::boolean,
    (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::integer,
    (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database())

-- name: time
SELECT clock_timestamp()

-- name: months_ahead
-- How many months in a row have a partition of the journal, this one included.
SELECT coalesce(min(ahead), 13)
FROM generate_series(0, 12) AS ahead
WHERE to_regclass(
    'ledger.journal_'
    || to_char((now() AT TIME ZONE 'UTC') + make_interval(months => ahead), 'YYYY_MM')
) IS NULL

-- name: stray
SELECT ledger.rows_in_default_v1()
