-- What a database must tell of itself before it may carry a branch.

-- name: this_node
-- Whose ledger it is.
SELECT code, branch_number, bank FROM ledger.this_node

-- name: contents
-- Whether it has a ledger that knows its node, a ledger at all, accounts in it, and other tables.
SELECT
    to_regclass('ledger.this_node') IS NOT NULL AS is_named,
    to_regclass('ledger.account') IS NOT NULL AS has_ledger,
    to_regclass('public.accounts_branch') IS NOT NULL AS has_people,
    EXISTS (
        SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE
            c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%'
            AND n.nspname <> 'information_schema'
    ) AS has_tables

-- name: has_accounts
-- Whether anybody has an account in the ledger.
SELECT EXISTS (SELECT FROM ledger.account)

-- name: has_accounts_of
-- Whether a branch has accounts here.
SELECT EXISTS (
    SELECT FROM ledger.account
    WHERE number >= %(number)s::bigint * 1000000000 AND number < (%(number)s::bigint + 1) * 1000000000
)

-- name: name_node
-- As the owner: say whose ledger it is from now on.
SELECT ledger.name_node_v1(%(code)s, %(number)s::smallint, %(bank)s)
