-- What statements, journals and balances read. Amounts in minor units.

-- One row a leg: the journal as each account sees it. The counterparty of what goes to another node, or
-- comes from there, is the account at the other end; the clearing account itself sees the one here.
CREATE OR REPLACE VIEW ledger.entry AS
SELECT
    j.debit AS account,
    j.id,
    'debit'::text AS leg,
    - a.side * j.amount AS change,
    j.debit_after AS balance_after,
    CASE WHEN a.purpose <> 'clearing' THEN coalesce(j.peer, j.credit) ELSE j.credit END AS counterparty,
    j.amount, j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id, j.client,
    a.currency
FROM ledger.journal AS j
INNER JOIN ledger.account AS a ON a.number = j.debit
UNION ALL
SELECT
    j.credit AS account,
    j.id,
    'credit'::text AS leg,
    a.side * j.amount AS change,
    j.credit_after AS balance_after,
    CASE WHEN a.purpose <> 'clearing' THEN coalesce(j.peer, j.debit) ELSE j.debit END AS counterparty,
    j.amount, j.kind, j.channel, j.memo, j.reference, j.event_at, j.group_id, j.client,
    a.currency
FROM ledger.journal AS j
INNER JOIN ledger.account AS a ON a.number = j.credit;

-- What all legs of summed accounts after the fold's cursor add up to.
CREATE OR REPLACE VIEW ledger.unfolded AS
SELECT leg.account, sum(leg.change)::bigint AS change
FROM (
    SELECT j.debit AS account, - a.side * j.amount AS change
    FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.debit AND NOT a.running
    WHERE (j.xid, j.id) > (
        coalesce((SELECT xid FROM ledger.tail WHERE name = 'fold'), '0'::xid8),
        coalesce((SELECT id FROM ledger.tail WHERE name = 'fold'), '00000000-0000-0000-0000-000000000000')
    )
    UNION ALL
    SELECT j.credit, a.side * j.amount
    FROM ledger.journal AS j INNER JOIN ledger.account AS a ON a.number = j.credit AND NOT a.running
    WHERE (j.xid, j.id) > (
        coalesce((SELECT xid FROM ledger.tail WHERE name = 'fold'), '0'::xid8),
        coalesce((SELECT id FROM ledger.tail WHERE name = 'fold'), '00000000-0000-0000-0000-000000000000')
    )
) AS leg
GROUP BY leg.account;

-- Every account's balance now, and what of it can go out (NULL: no floor). Holds that have run out
-- do not count, tidied or not.
CREATE OR REPLACE VIEW ledger.balance AS
SELECT
    a.number,
    a.currency,
    c.exponent,
    a.purpose,
    a.side,
    a.running,
    a.status,
    b.balance,
    h.held,
    a.overdraft_limit,
    a.daily_limit,
    CASE WHEN a.overdraft_limit IS NOT NULL THEN b.balance - h.held + a.overdraft_limit END AS available
FROM ledger.account AS a
INNER JOIN ledger.currency AS c ON c.code = a.currency
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN a.running THEN a.balance
        ELSE coalesce((SELECT f.balance FROM ledger.folded AS f WHERE f.account = a.number), 0)
        + coalesce((SELECT u.change FROM ledger.unfolded AS u WHERE u.account = a.number), 0)
    END AS balance
) AS b
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN a.held = 0 THEN 0
        ELSE a.held - coalesce((
            SELECT sum(x.amount) FROM ledger.hold AS x
            WHERE x.account = a.number AND x.state = 'open' AND x.expires_at <= clock_timestamp()
        ), 0)
    END::bigint AS held
) AS h;

-- The books of a node: what all accounts of a purpose hold, and per currency the two sides, which are
-- equal at every instant.
CREATE OR REPLACE VIEW ledger.trial_balance AS
SELECT
    currency,
    purpose,
    side,
    count(*) AS accounts,
    sum(balance) AS balance,
    sum(CASE side WHEN -1 THEN balance ELSE 0 END) AS debit_balance,
    sum(CASE side WHEN 1 THEN balance ELSE 0 END) AS credit_balance
FROM ledger.balance
GROUP BY currency, purpose, side;

-- name: balance_at_v1
-- The balance of an account by all that was recorded before an instant, which must be past. The answer,
-- once given, never changes: postings in flight on a running account are waited for, and later ones
-- get later ids, since the account's last tick is brought up to the instant. A day is longer than any
-- posting can have waited with its clock read. Raises unknown_account, instant_in_future.
CREATE OR REPLACE FUNCTION ledger.balance_at_v1(p_number bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_account ledger.account;
    v_before uuid := ledger.id_from_v1(p_at);
    v_debit ledger.journal;
    v_credit ledger.journal;
BEGIN
    IF p_at > clock_timestamp() THEN
        PERFORM ledger.refuse_v1(84);
    END IF;
    PERFORM FROM ledger.account WHERE number = p_number AND running FOR NO KEY UPDATE;
    UPDATE ledger.account SET last_tick = ledger.id_tick_v1(v_before)
    WHERE number = p_number AND running AND last_tick < ledger.id_tick_v1(v_before)
        AND p_at > clock_timestamp() - interval '1 day';
    SELECT * INTO v_account FROM ledger.account WHERE number = p_number;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_v1(71);
    ELSIF NOT v_account.running THEN
        RETURN v_account.side * (
            coalesce((SELECT sum(amount) FROM ledger.journal WHERE credit = p_number AND id < v_before), 0)
            - coalesce((SELECT sum(amount) FROM ledger.journal WHERE debit = p_number AND id < v_before), 0)
        );
    END IF;
    SELECT * INTO v_debit FROM ledger.journal
    WHERE debit = p_number AND id < v_before ORDER BY id DESC LIMIT 1;
    SELECT * INTO v_credit FROM ledger.journal
    WHERE credit = p_number AND id < v_before ORDER BY id DESC LIMIT 1;
    RETURN CASE
        WHEN v_debit.id IS NULL AND v_credit.id IS NULL THEN 0
        WHEN v_credit.id IS NULL OR v_debit.id > v_credit.id THEN v_debit.debit_after
        ELSE v_credit.credit_after
    END;
END
$$;

-- name: fold_v1
-- Add the settled legs of summed accounts to their folded balances; answers with how many transfers
-- were read. Safe to run at any time, and twice at once.
CREATE OR REPLACE FUNCTION ledger.fold_v1() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
DECLARE
    v_tail ledger.tail;
    v_settled xid8;
    v_read bigint;
BEGIN
    v_tail := ledger.lock_tail_v1('fold');
    -- Taken before the rows are read: all that is older is over, and visible to what comes next.
    v_settled := pg_snapshot_xmin(pg_current_snapshot());
    WITH legs AS (
        SELECT debit, credit, amount FROM ledger.journal
        WHERE (xid, id) > (v_tail.xid, v_tail.id) AND xid < v_settled
    ), changes AS (
        SELECT a.number, sum(leg.change)::bigint AS change
        FROM (
            SELECT debit AS account, - amount AS change FROM legs
            UNION ALL
            SELECT credit, amount FROM legs
        ) AS leg
        INNER JOIN ledger.account AS a ON a.number = leg.account AND NOT a.running
        GROUP BY a.number
    ), folded AS (
        INSERT INTO ledger.folded AS f (account, balance)
        SELECT c.number, a.side * c.change FROM changes AS c
        INNER JOIN ledger.account AS a USING (number)
        ON CONFLICT (account) DO UPDATE SET balance = f.balance + excluded.balance
    )
    SELECT count(*) INTO v_read FROM legs;
    UPDATE ledger.tail
    SET xid = v_settled, id = '00000000-0000-0000-0000-000000000000'
    WHERE name = 'fold' AND xid < v_settled;
    RETURN v_read;
END
$$;
