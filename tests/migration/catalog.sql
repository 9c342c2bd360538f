-- What a database says of its schema `ledger`, whatever the order in which it was made. Partitions of the
-- journal are left out: which there are depends on the day.

-- name: columns
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
    pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND NOT c.relispartition

-- name: tables
SELECT relname, relkind::text, relreplident::text, array_to_string(reloptions, ' '),
    (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(relacl) AS acl)
FROM pg_class
WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND NOT relispartition

-- name: constraints
SELECT coalesce(c.relname, t.typname), k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint AS k
LEFT JOIN pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_type AS t ON t.oid = k.contypid
WHERE k.connamespace = 'ledger'::regnamespace AND coalesce(NOT c.relispartition, true)

-- name: indexes
SELECT c.relname, i.indisreplident, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT c.relispartition

-- name: functions
SELECT oid::regprocedure::text, pg_get_functiondef(oid),
    (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(proacl) AS acl)
FROM pg_proc
WHERE pronamespace = 'ledger'::regnamespace

-- name: triggers
SELECT c.relname, pg_get_triggerdef(t.oid), t.tgenabled::text
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal AND NOT c.relispartition

-- name: views
SELECT viewname, definition FROM pg_views WHERE schemaname = 'ledger'

-- name: publications
SELECT pubname, tablename, (SELECT string_agg(name, ' ' ORDER BY name) FROM unnest(attnames) AS name)
FROM pg_publication_tables
WHERE schemaname = 'ledger'
