-- History is append-only, for every role: rights, row triggers and TRUNCATE triggers, all of them
-- firing even where session_replication_role is 'replica'.

CREATE FUNCTION ledger.refuse_rewrite() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only' USING
        ERRCODE = 'BK090',
        DETAIL = format('%s on %I.%I', tg_op, tg_table_schema, tg_table_name);
END
$$;

-- name: guard_v1
-- Put the guards on one table of the ledger. Row triggers of a partitioned table reach its
-- partitions by themselves, TRUNCATE triggers do not: partitions call this with `leaf` true.
CREATE FUNCTION ledger.guard_v1(p_table regclass, p_leaf boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT p_leaf THEN
        EXECUTE format(
            'CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON %s '
            'FOR EACH ROW EXECUTE FUNCTION ledger.refuse_rewrite()', p_table);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_rewrite', p_table);
    END IF;
    EXECUTE format(
        'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_rewrite()', p_table);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', p_table);
END
$$;

SELECT ledger.guard_v1('ledger.journal');
SELECT ledger.guard_v1('ledger.reversal');
SELECT ledger.guard_v1('ledger.reference');
SELECT ledger.guard_v1('ledger.account_event');
