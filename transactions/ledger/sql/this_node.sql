-- Which node of which bank this database is; at most one row, written once. It tells databases apart
-- when a branch joins, and its number to processes that start while the head office is down.
CREATE TABLE ledger.this_node (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    code text NOT NULL,
    branch_number smallint NOT NULL CHECK (branch_number BETWEEN 100 AND 999),
    bank uuid NOT NULL
);
SELECT ledger.guard_v1('ledger.this_node');
GRANT SELECT ON ledger.this_node TO bank_app, bank_readonly;

-- name: name_node_v1
-- Say which node this database is. For the owner; saying the same again is harmless.
CREATE OR REPLACE FUNCTION ledger.name_node_v1(p_code text, p_branch_number smallint, p_bank uuid)
RETURNS void
LANGUAGE sql VOLATILE
SET search_path = ledger, pg_catalog, pg_temp AS $$
    INSERT INTO ledger.this_node (code, branch_number, bank)
    SELECT p_code, p_branch_number, p_bank
    WHERE NOT EXISTS (
        SELECT FROM ledger.this_node AS n
        WHERE (n.code, n.branch_number, n.bank) = (p_code, p_branch_number, p_bank)
    )
$$;
REVOKE ALL ON FUNCTION ledger.name_node_v1(text, smallint, uuid) FROM PUBLIC;
