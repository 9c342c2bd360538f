-- Tails: readers of the journal that miss nothing. They read by (xid, id) and only what is older than
-- every transaction in flight, so a transfer that commits late is still ahead of the cursor.

-- name: lock_tail_v1
-- Return the cursor of a tail, locked, made at the journal's beginning on first use. Raises
-- other_cluster when its transaction ids are another server's: after a restore, say.
CREATE OR REPLACE FUNCTION ledger.lock_tail_v1(p_name text) RETURNS ledger.tail
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_cluster bigint := (SELECT system_identifier FROM pg_control_system());
    v_tail ledger.tail;
BEGIN
    INSERT INTO ledger.tail (name, cluster) VALUES (p_name, v_cluster) ON CONFLICT DO NOTHING;
    SELECT * INTO v_tail FROM ledger.tail WHERE name = p_name FOR UPDATE;
    IF v_tail.cluster <> v_cluster THEN
        PERFORM ledger.refuse_v1(91);
    END IF;
    RETURN v_tail;
END
$$;

-- name: read_tail_v1
-- Return up to `p_limit` transfers after the cursor of a tail, in cursor order.
CREATE OR REPLACE FUNCTION ledger.read_tail_v1(p_name text, p_limit integer) RETURNS SETOF ledger.journal
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    SELECT j.*
    FROM ledger.journal AS j
    WHERE (j.xid, j.id) > (
        (SELECT xid FROM ledger.tail WHERE name = p_name),
        (SELECT id FROM ledger.tail WHERE name = p_name)
    ) AND j.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY j.xid, j.id
    LIMIT p_limit
$$;

-- name: advance_tail_v1
-- Move the cursor of a tail to the transfer last worked on; never back. Saved together with the effect
-- when called in its transaction.
CREATE OR REPLACE FUNCTION ledger.advance_tail_v1(p_name text, p_xid xid8, p_id uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    UPDATE ledger.tail SET xid = p_xid, id = p_id
    WHERE name = p_name AND (xid, id) < (p_xid, p_id)
$$;
