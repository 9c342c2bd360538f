-- What makes a migrated database the bank's replica: the tables of all nodes in one. Run by its owner
-- after every migration; repeating it is harmless.

-- A copy publishes nothing.
DROP PUBLICATION IF EXISTS bank_ledger, bank_people;

-- name: source_v1
-- The node whose changes this session applies; NULL in a session that applies none. Asked once for
-- each session: a worker serves one subscription.
CREATE OR REPLACE FUNCTION ledger.source_v1() RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_node text := current_setting('bank.source', true);
BEGIN
    IF coalesce(v_node, '') = '' THEN
        SELECT substr(s.subname, 6) INTO v_node
        FROM pg_stat_get_subscription(NULL) AS w INNER JOIN pg_subscription AS s ON s.oid = w.subid
        WHERE w.pid = pg_backend_pid();
        PERFORM set_config('bank.source', coalesce(v_node, ''), false);
    END IF;
    RETURN v_node;
END
$$;

-- Every row knows the node it came from.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'account', 'holder', 'payee_limit', 'hold', 'journal', 'reversal', 'reference',
        'account_event', 'decision', 'arrival'
    ] LOOP
        EXECUTE format(
            'ALTER TABLE ledger.%I ADD COLUMN IF NOT EXISTS node text DEFAULT ledger.source_v1()',
            v_table);
    END LOOP;
END
$$;

-- Transaction ids are the replica's own, so that its fold and its sums work as on any node.
ALTER TABLE ledger.journal ALTER COLUMN xid SET DEFAULT pg_current_xact_id();

-- What is counted or made unique on each node would meet its like from the others. Rows of these two
-- are never changed, so nothing has to find them by a key.
ALTER TABLE ledger.account_event ALTER COLUMN id DROP IDENTITY IF EXISTS;
ALTER TABLE ledger.account_event DROP CONSTRAINT IF EXISTS account_event_pkey;
ALTER TABLE ledger.reference DROP CONSTRAINT IF EXISTS reference_pkey;
CREATE INDEX IF NOT EXISTS reference_client ON ledger.reference (client, reference);
-- Staff look for a reference without knowing whose it is.
CREATE INDEX IF NOT EXISTS reference_text ON ledger.reference (reference);

-- A change finds its account by the number alone, whatever state it is in here.
ALTER TABLE ledger.account REPLICA IDENTITY DEFAULT;

-- A copy may be forgotten and taken anew; nodes guard the history itself.
DROP TRIGGER IF EXISTS refuse_rewrite ON ledger.journal;
DROP TRIGGER IF EXISTS refuse_rewrite ON ledger.reversal;
DROP TRIGGER IF EXISTS refuse_rewrite ON ledger.reference;
DROP TRIGGER IF EXISTS refuse_rewrite ON ledger.account_event;
DROP TRIGGER IF EXISTS refuse_rewrite ON ledger.decision;
DROP TRIGGER IF EXISTS refuse_rewrite ON ledger.arrival;

-- Nobody logs in here. People are as the head office says, also while it says less of them than the
-- schema here knows; and what becomes of the copy is nobody's doing.
ALTER TABLE public.accounts_user ALTER COLUMN password SET DEFAULT '!';
ALTER TABLE public.accounts_user ALTER COLUMN number DROP NOT NULL, ALTER COLUMN number DROP DEFAULT;
ALTER TABLE public.accounts_user DROP CONSTRAINT IF EXISTS user_is_active_by_status;
ALTER TABLE public.accounts_user DISABLE TRIGGER USER;
ALTER TABLE public.accounts_account DISABLE TRIGGER USER;
ALTER TABLE public.accounts_card DISABLE TRIGGER USER;
ALTER TABLE public.accounts_session ALTER COLUMN session_key DROP NOT NULL;
ALTER TABLE public.accounts_session ALTER COLUMN refresh_serial SET DEFAULT 0;
ALTER TABLE public.accounts_session DISABLE TRIGGER USER;
ALTER TABLE public.accounts_login DISABLE TRIGGER USER;
ALTER TABLE public.accounts_statuschange DISABLE TRIGGER USER;
ALTER TABLE public.accounts_credentialchange DISABLE TRIGGER USER;
ALTER TABLE public.accounts_approval DISABLE TRIGGER USER;
ALTER TABLE public.notifications_message ALTER COLUMN "to" DROP NOT NULL,
ALTER COLUMN template DROP NOT NULL, ALTER COLUMN data DROP NOT NULL,
ALTER COLUMN language DROP NOT NULL;
ALTER TABLE public.notifications_messageattempt ALTER COLUMN detail DROP NOT NULL;

-- An account that moves: its old node and its new one tell of it in streams of their own, and either
-- may be ahead. The newest tick counts, since a move carries the ticks on; so the streams need not
-- wait for each other, whichever comes first, and an account is never without a row meanwhile.

-- name: take_account_v1
-- Let the row of an account be the word of its newest node. A row without a node has left one, and is
-- not heard of from the next yet.
CREATE OR REPLACE FUNCTION ledger.take_account_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_source text := ledger.source_v1();
    v_known ledger.account;
BEGIN
    IF tg_op = 'INSERT' THEN
        SELECT * INTO v_known FROM ledger.account WHERE number = new.number FOR UPDATE;
        IF v_known.last_tick > new.last_tick OR FOUND AND new.status = 'moved' THEN
            RETURN NULL;
        END IF;
        DELETE FROM ledger.account WHERE number = new.number AND node IS DISTINCT FROM v_source;
        RETURN new;
    ELSIF old.node IS DISTINCT FROM v_source AND new.last_tick <= old.last_tick THEN
        RETURN NULL;
    ELSIF new.status = 'moved' THEN
        IF old.node IS DISTINCT FROM v_source THEN
            RETURN NULL;
        END IF;
        new := old;
        new.node := NULL;
        RETURN new;
    END IF;
    new.node := v_source;
    RETURN new;
END
$$;

-- name: take_dependant_v1
-- Let what belongs to an account be the word of the account's node. Not while a table is copied: the
-- account's own row may come later then. The argument compares a row `t` with the new one, $1.
CREATE OR REPLACE FUNCTION ledger.take_dependant_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_source text := ledger.source_v1();
    v_account bigint := CASE WHEN tg_op = 'DELETE' THEN old.account ELSE new.account END;
    v_node text;
    v_is_theirs boolean;
BEGIN
    SELECT node INTO v_node FROM ledger.account WHERE number = v_account;
    v_is_theirs := NOT FOUND OR v_node IS NOT DISTINCT FROM v_source;
    IF tg_op = 'INSERT' THEN
        IF NOT v_is_theirs AND NOT ledger.is_copied_v1(tg_relid) THEN
            RETURN NULL;
        END IF;
        EXECUTE format(
            'DELETE FROM %s AS t WHERE t.node IS DISTINCT FROM $2 AND %s', tg_relid::regclass, tg_argv[0]
        ) USING new, v_source;
        RETURN new;
    ELSIF NOT v_is_theirs THEN
        RETURN NULL;
    ELSIF tg_op = 'DELETE' THEN
        RETURN CASE WHEN old.node IS NOT DISTINCT FROM v_source THEN old END;
    END IF;
    new.node := v_source;
    RETURN new;
END
$$;

-- name: is_copied_v1
-- Whether this session's subscription is still copying a table.
CREATE OR REPLACE FUNCTION ledger.is_copied_v1(p_table oid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM pg_subscription AS s
        INNER JOIN pg_subscription_rel AS r ON r.srsubid = s.oid
        WHERE s.subname = 'bank_' || ledger.source_v1() AND r.srrelid = p_table AND r.srsubstate <> 'r'
            AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
$$;

CREATE OR REPLACE TRIGGER take BEFORE INSERT OR UPDATE ON ledger.account
FOR EACH ROW EXECUTE FUNCTION ledger.take_account_v1();
-- At depth 0: what a trigger here deletes itself is meant.
CREATE OR REPLACE TRIGGER take BEFORE INSERT OR UPDATE OR DELETE ON ledger.holder
FOR EACH ROW WHEN (pg_trigger_depth() = 0)
EXECUTE FUNCTION ledger.take_dependant_v1('(t.user_id, t.account) = ($1.user_id, $1.account)');
CREATE OR REPLACE TRIGGER take BEFORE INSERT OR UPDATE OR DELETE ON ledger.payee_limit
FOR EACH ROW WHEN (pg_trigger_depth() = 0)
EXECUTE FUNCTION ledger.take_dependant_v1('(t.account, t.payee) = ($1.account, $1.payee)');
ALTER TABLE ledger.account ENABLE REPLICA TRIGGER take;
ALTER TABLE ledger.holder ENABLE REPLICA TRIGGER take;
ALTER TABLE ledger.payee_limit ENABLE REPLICA TRIGGER take;

-- name: keep_up_v1
-- With a heartbeat, fold the replica's own sums and make its journal's partitions ahead. What is in the
-- way is left to the next beat: nothing here may stop the copying.
CREATE OR REPLACE FUNCTION ledger.keep_up_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(7103, 4) THEN
        RETURN NULL;
    END IF;
    PERFORM ledger.fold_v1();
    IF to_regclass('ledger.journal_' || to_char(now() + interval '12 months', 'YYYY_MM')) IS NULL THEN
        PERFORM ledger.add_partition_v1((now() + make_interval(months => ahead))::date)
        FROM generate_series(0, 12) AS ahead;
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN lock_not_available OR check_violation OR SQLSTATE 'BK091' THEN
        RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER keep_up AFTER UPDATE ON ledger.pulse
FOR EACH ROW EXECUTE FUNCTION ledger.keep_up_v1();
ALTER TABLE ledger.pulse ENABLE REPLICA TRIGGER keep_up;

-- How far each node's copy has come: up to which position of the node's log all changes are applied,
-- and when the node was last heard of. `is_whole`: every table is copied and changes flow in.
CREATE OR REPLACE VIEW ledger.source AS
SELECT
    substr(s.subname, 6) AS node,
    s.subenabled AND NOT EXISTS (
        SELECT FROM pg_subscription_rel AS r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'
    ) AS is_whole,
    o.remote_lsn AS lsn,
    p.beat_at
FROM pg_subscription AS s
LEFT JOIN pg_show_replication_origin_status() AS o ON o.external_id = 'pg_' || s.oid
LEFT JOIN ledger.pulse AS p ON p.node = substr(s.subname, 6)
WHERE s.subname LIKE 'bank\_%'
    AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());
GRANT SELECT ON ledger.source TO bank_readonly;
GRANT USAGE ON SCHEMA public TO bank_readonly;
GRANT SELECT ON public.accounts_branch, public.accounts_district, public.accounts_account,
public.accounts_card, public.accounts_user, public.accounts_login, public.accounts_session, public.accounts_statuschange,
public.accounts_credentialchange, public.accounts_approval, public.notifications_message,
public.notifications_messageattempt TO bank_readonly;
