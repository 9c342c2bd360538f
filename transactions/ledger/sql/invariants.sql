-- What must be true of the books, each as one query that answers with what is not: the account
-- where there is one, and what is wrong with it. `manage.py check_books` runs all on one snapshot.

-- name: every_leg_continues_its_account
-- The legs of a running account in the order of their ids: each after-balance is the one before it
-- plus the leg's change, and the first starts at zero.
SELECT
    step.account,
    format('transfer %s: balance %s, change %s, then %s',
        step.id, step.balance_before, step.change, coalesce(step.balance_after::text, 'none'))
FROM (
    SELECT
        e.account,
        e.id,
        e.change,
        e.balance_after,
        coalesce(
            lag(e.balance_after) OVER (PARTITION BY e.account ORDER BY e.id), 0
        ) AS balance_before
    FROM ledger.entry AS e
    INNER JOIN ledger.account AS a ON a.number = e.account
    WHERE a.running
) AS step
WHERE step.balance_after IS DISTINCT FROM step.balance_before + step.change
ORDER BY step.account, step.id
LIMIT 100;

-- name: balances_equal_the_journal
-- Running or summed: what an account shows is the sum of its legs.
WITH legs AS (
    SELECT account, sum(change) AS total FROM ledger.entry GROUP BY account
), shown AS (
    SELECT number, balance FROM ledger.account WHERE running
    UNION ALL
    SELECT a.number, coalesce(f.balance, 0) + coalesce(u.change, 0)
    FROM ledger.account AS a
    LEFT JOIN ledger.folded AS f ON f.account = a.number
    LEFT JOIN ledger.unfolded AS u ON u.account = a.number
    WHERE NOT a.running
)
SELECT
    shown.number,
    format('shows %s, the journal adds up to %s', shown.balance, coalesce(legs.total, 0))
FROM shown
LEFT JOIN legs ON legs.account = shown.number
WHERE shown.balance <> coalesce(legs.total, 0)
ORDER BY shown.number
LIMIT 100;

-- name: folds_equal_the_journal
-- What is folded of a summed account is the sum of its legs up to the fold's cursor.
WITH place AS (
    SELECT xid, id FROM ledger.tail WHERE name = 'fold'
), legs AS (
    SELECT leg.account, sum(leg.change) AS total
    FROM (
        SELECT j.debit AS account, - j.amount AS change
        FROM ledger.journal AS j CROSS JOIN place AS p WHERE (j.xid, j.id) <= (p.xid, p.id)
        UNION ALL
        SELECT j.credit, j.amount
        FROM ledger.journal AS j CROSS JOIN place AS p WHERE (j.xid, j.id) <= (p.xid, p.id)
    ) AS leg
    GROUP BY leg.account
)
SELECT
    a.number,
    format('folded %s, the journal adds up to %s so far',
        coalesce(f.balance, 0), coalesce(a.side * legs.total, 0))
FROM ledger.account AS a
LEFT JOIN ledger.folded AS f ON f.account = a.number
LEFT JOIN legs ON legs.account = a.number
WHERE coalesce(f.balance, 0)
    <> CASE WHEN a.running THEN 0 ELSE coalesce(a.side * legs.total, 0) END
ORDER BY a.number
LIMIT 100;

-- name: both_sides_are_equal
-- The trial balance, by currency. No account: which one is wrong, the other checks say.
SELECT
    NULL::bigint AS account,
    format('%s: debit side %s, credit side %s', currency, sum(debit_balance), sum(credit_balance))
FROM ledger.trial_balance
GROUP BY currency
HAVING sum(debit_balance) <> sum(credit_balance);

-- name: legs_stand_on_known_accounts
SELECT leg.account, format('transfer %s: no such account', leg.id)
FROM (
    SELECT debit AS account, id FROM ledger.journal
    UNION ALL
    SELECT credit, id FROM ledger.journal
) AS leg
WHERE NOT EXISTS (SELECT FROM ledger.account AS a WHERE a.number = leg.account)
ORDER BY leg.account, leg.id
LIMIT 100;

-- name: rows_are_of_known_accounts
SELECT dependent.account, format('%s of no account', dependent.what)
FROM (
    SELECT account, 'a holder' AS what FROM ledger.holder
    UNION ALL
    SELECT account, 'a payee limit' FROM ledger.payee_limit
    UNION ALL
    SELECT account, 'a hold' FROM ledger.hold
    UNION ALL
    SELECT account, 'an event' FROM ledger.account_event
    UNION ALL
    SELECT account, 'a fold' FROM ledger.folded
) AS dependent
WHERE NOT EXISTS (SELECT FROM ledger.account AS a WHERE a.number = dependent.account)
ORDER BY dependent.account
LIMIT 100;

-- name: crossings_stand_against_clearing
-- What goes to another node, or comes from there, has one leg on a clearing account here.
SELECT j.debit, format('transfer %s with %s: no clearing account', j.id, j.peer)
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
INNER JOIN ledger.account AS c ON c.number = j.credit
WHERE j.peer IS NOT NULL AND (d.purpose = 'clearing') = (c.purpose = 'clearing')
ORDER BY j.debit, j.id
LIMIT 100;

-- name: legs_are_of_one_currency
SELECT
    j.debit,
    format('transfer %s: from %s to %s on account %s', j.id, d.currency, c.currency, j.credit)
FROM ledger.journal AS j
INNER JOIN ledger.account AS d ON d.number = j.debit
INNER JOIN ledger.account AS c ON c.number = j.credit
WHERE d.currency <> c.currency OR j.debit = j.credit
ORDER BY j.debit, j.id
LIMIT 100;

-- name: summed_accounts_have_no_after_balance
SELECT e.account, format('transfer %s: after-balance %s', e.id, e.balance_after)
FROM ledger.entry AS e
INNER JOIN ledger.account AS a ON a.number = e.account
WHERE NOT a.running AND e.balance_after IS NOT NULL
ORDER BY e.account, e.id
LIMIT 100;

-- name: held_equals_open_holds
SELECT a.number, format('%s held, open holds of %s', a.held, coalesce(holds.total, 0))
FROM ledger.account AS a
LEFT JOIN (
    SELECT account, sum(amount) AS total FROM ledger.hold WHERE state = 'open' GROUP BY account
) AS holds ON holds.account = a.number
WHERE a.held <> coalesce(holds.total, 0)
ORDER BY a.number
LIMIT 100;

-- name: captures_equal_their_transfers
SELECT
    h.account,
    format('hold %s: not captured by transfer %s as it says', h.id, h.transfer_id)
FROM ledger.hold AS h
LEFT JOIN ledger.journal AS j ON j.id = h.transfer_id
WHERE h.state = 'captured'
    AND (j.debit, j.credit, j.amount) IS DISTINCT FROM (h.account, h.payee, h.captured)
ORDER BY h.account, h.id
LIMIT 100;

-- name: floors_follow_holds_and_limits
-- A floor is what is held less the overdraft limit; lower than that only where a limit was changed, here
-- or where the account came from.
SELECT
    a.number,
    format('floor %s, held %s, overdraft limit %s, balance %s',
        coalesce(a.floor::text, 'none'), a.held, coalesce(a.overdraft_limit::text, 'none'),
        a.balance)
FROM ledger.account AS a
WHERE (a.floor IS NULL) <> (a.overdraft_limit IS NULL)
    OR a.floor > a.held - a.overdraft_limit
    OR a.floor > a.balance
    OR a.floor < a.held - a.overdraft_limit AND NOT EXISTS (
        SELECT FROM ledger.account_event AS e
        WHERE e.account = a.number AND e.action IN ('set_limits', 'take_over')
    )
ORDER BY a.number
LIMIT 100;

-- name: usual_accounts_are_what_post_v1_takes_them_for
SELECT a.number, format('marked as usual: %s, and it is not so', a.usual)
FROM ledger.account AS a
WHERE a.usual IS DISTINCT FROM (
    a.running AND a.status = 'open' AND a.daily_limit IS NULL AND a.transfer_limit IS NULL
    AND NOT EXISTS (SELECT FROM ledger.payee_limit AS p WHERE p.account = a.number)
    AND a.floor IS NOT DISTINCT FROM a.held - a.overdraft_limit
    AND a.purpose NOT IN ('loan', 'loan_dues')
)
ORDER BY a.number
LIMIT 100;

-- name: spending_is_never_negative
SELECT number, format('spent %s on %s', spent, spent_day)
FROM ledger.account
WHERE spent < 0
ORDER BY number
LIMIT 100;

-- name: reversals_mirror_their_originals
-- Both transfers are there, with the accounts swapped and the same amount; what calls itself a
-- reversal is one.
SELECT
    coalesce(o.debit, r.credit),
    format('transfer %s reversed by %s: %s', v.original_id, v.reversal_id, CASE
        WHEN o.id IS NULL THEN 'there is no such transfer'
        WHEN r.id IS NULL THEN 'there is no such reversal'
        WHEN r.kind <> 'reversal' OR o.kind = 'reversal' THEN 'not a reversal of a transfer'
        ELSE 'not its mirror'
    END)
FROM ledger.reversal AS v
LEFT JOIN ledger.journal AS o ON o.id = v.original_id
LEFT JOIN ledger.journal AS r ON r.id = v.reversal_id
WHERE (r.debit, r.credit, r.amount, r.kind)
    IS DISTINCT FROM (o.credit, o.debit, o.amount, 'reversal')
    OR o.kind = 'reversal'
UNION ALL
SELECT r.debit, format('transfer %s: a reversal of nothing', r.id)
FROM ledger.journal AS r
WHERE r.kind = 'reversal'
    AND NOT EXISTS (SELECT FROM ledger.reversal AS v WHERE v.reversal_id = r.id)
LIMIT 100;

-- name: groups_are_whole
-- The legs of a group follow one another tick by tick from the first, whose id is the group's, and
-- are one client's in one transaction; they are reversed all or none.
SELECT
    min(j.debit),
    format('group %s: %s legs over %s ticks, %s of them reversed',
        j.group_id, count(*), max(ledger.id_tick_v1(j.id)) - min(ledger.id_tick_v1(j.id)) + 1,
        count(v.original_id))
FROM ledger.journal AS j
LEFT JOIN ledger.reversal AS v ON v.original_id = j.id
WHERE j.group_id IS NOT NULL
GROUP BY j.group_id
HAVING min(j.id::text) <> j.group_id::text
    OR count(*) < 2
    OR count(*) <> max(ledger.id_tick_v1(j.id)) - min(ledger.id_tick_v1(j.id)) + 1
    OR min(j.xid::text) <> max(j.xid::text)
    OR min(j.client) <> max(j.client)
    OR count(v.original_id) NOT IN (0, count(*))
LIMIT 100;

-- name: answers_stand_for_what_was_done
-- A request's result is a transfer, a hold or an account. Not that of a batch whose first item was refused.
-- What came along with an account stands for something on another node.
SELECT
    NULL::bigint AS account,
    format('request %s of client %s: result %s is not there', r.key, r.client, r.result_id)
FROM ledger.request AS r
WHERE r.account IS NULL
    AND r.refused_items[1] IS DISTINCT FROM 1
    AND NOT EXISTS (SELECT FROM ledger.journal AS j WHERE j.id = r.result_id)
    AND NOT EXISTS (SELECT FROM ledger.hold AS h WHERE h.id = r.result_id)
    AND NOT EXISTS (
        SELECT FROM ledger.account AS a WHERE a.number = ledger.account_in_v1(r.result_id)
    )
LIMIT 100;

-- name: references_stand_for_their_transfers
SELECT
    j.debit,
    format('reference %s of client %s: transfer %s %s',
        coalesce(r.reference, j.reference), coalesce(r.client, j.client),
        coalesce(r.transfer_id, j.id),
        CASE WHEN j.id IS NULL THEN 'is not there' ELSE 'says otherwise' END)
FROM ledger.reference AS r
FULL JOIN (
    SELECT id, client, reference, debit FROM ledger.journal WHERE reference IS NOT NULL
) AS j
    ON j.id = r.transfer_id AND j.client = r.client AND j.reference = r.reference
WHERE r.transfer_id IS NULL OR j.id IS NULL AND r.account IS NULL
LIMIT 100;

-- name: accounts_that_moved_left_nothing
-- Where an account lived before there is neither money nor a right left, and the node knows that it went.
SELECT a.number, format('moved away, with balance %s, held %s; %s holders; said to live on %s',
    a.balance, a.held,
    (SELECT count(*) FROM ledger.holder AS h WHERE h.account = a.number),
    coalesce(m.node, 'no other node'))
FROM ledger.account AS a
LEFT JOIN ledger.moved AS m ON m.account = a.number
CROSS JOIN (
    SELECT coalesce((
        SELECT CASE code WHEN 'HO' THEN 'default' ELSE code END FROM ledger.this_node
    ), 'default') AS alias
) AS this_node
WHERE CASE
    WHEN a.status = 'moved' THEN
        (a.balance, a.held) <> (0, 0) OR m.node = this_node.alias
        OR EXISTS (SELECT FROM ledger.holder AS h WHERE h.account = a.number)
        OR EXISTS (SELECT FROM ledger.payee_limit AS p WHERE p.account = a.number)
    ELSE m.node <> this_node.alias
END
ORDER BY a.number
LIMIT 100;

-- name: interest_is_what_was_earned
-- What was posted to an account for a month is the sum of its days, rounded once; and once later days
-- are kept, what was earned is posted, but to accounts that were not open all the time, or not here. Who
-- was closed together with the interest has had all of it.
WITH earned AS (
    SELECT
        account, date_trunc('month', day)::date AS month,
        ledger.interest_v1(sum(balance::numeric * rate_ppm)) AS minor
    FROM ledger.accrual
    GROUP BY account, date_trunc('month', day)
), posted AS (
    SELECT credit AS account, to_date(split_part(reference, '/', 2), 'YYYY-MM') AS month, amount
    FROM ledger.journal
    WHERE client = 0 AND reference ~ '^interest/[0-9]{4}-[0-9]{2}/'
)
SELECT account, format('interest of %s: earned %s, posted %s',
    to_char(month, 'YYYY-MM'), coalesce(e.minor, 0), coalesce(p.amount, 0))
FROM earned AS e
FULL JOIN posted AS p USING (account, month)
WHERE p.amount <> coalesce(e.minor, 0)
    OR p.amount IS NULL AND e.minor > 0
    AND month < (SELECT date_trunc('month', max(day)) FROM ledger.accrual)
    AND EXISTS (SELECT FROM ledger.account AS a WHERE a.number = account AND a.status = 'open')
    AND NOT EXISTS (
        SELECT FROM ledger.account_event AS v
        WHERE v.account = e.account AND v.action IN ('set_status', 'take_over')
    )
    OR p.amount IS NULL AND e.minor > 0 AND EXISTS (
        SELECT FROM ledger.account_event AS v
        WHERE v.account = e.account AND v.action = 'set_status' AND v.details ? 'interest'
    ) AND NOT EXISTS (
        SELECT FROM ledger.account_event AS v
        WHERE v.account = e.account AND v.action = 'take_over'
    )
ORDER BY account, month
LIMIT 100;

-- name: ids_are_of_version_7
SELECT debit, format('transfer %s: no UUID of version 7', id)
FROM ledger.journal
WHERE substr(id::text, 15, 1) <> '7' OR substr(id::text, 20, 1) NOT IN ('8', '9', 'a', 'b')
LIMIT 100;

-- name: accounts_know_their_newest_transfer
-- The next transfer of an account must come after all it has.
SELECT a.number, format('last tick %s, newest transfer %s', a.last_tick, newest.id)
FROM ledger.account AS a
INNER JOIN (
    SELECT account, max(id::text)::uuid AS id FROM ledger.entry GROUP BY account
) AS newest ON newest.account = a.number
WHERE a.running AND ledger.id_tick_v1(newest.id) > a.last_tick
ORDER BY a.number
LIMIT 100;

-- name: no_transfer_is_of_a_later_transaction
-- A transaction id that the server has yet to give was written by another one, or by hand.
SELECT debit, format('transfer %s: transaction %s is yet to come', id, xid)
FROM ledger.journal
WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
LIMIT 100;

-- name: the_default_partition_is_empty
SELECT debit, format('transfer %s: no partition for its month', id) FROM ledger.journal_default
LIMIT 100;

-- name: history_is_guarded
-- Both triggers are on every table of history and every partition, and fire always.
SELECT
    NULL::bigint AS account,
    format('%s: trigger %s is missing, altered or not always enabled', t.relid::regclass, g.name)
FROM (
    SELECT relid FROM pg_partition_tree('ledger.journal')
    UNION ALL
    VALUES
        ('ledger.reversal'::regclass), ('ledger.reference'::regclass),
        ('ledger.account_event'::regclass), ('ledger.accrual'::regclass)
) AS t
CROSS JOIN (
    -- Of pg_trigger.tgtype: row 1, before 2, delete 8, update 16, truncate 32.
    VALUES ('refuse_rewrite', 1 + 2 + 8 + 16), ('refuse_truncate', 2 + 32)
) AS g (name, type)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger AS p
    WHERE p.tgrelid = t.relid AND p.tgname = g.name AND p.tgtype = g.type AND p.tgenabled = 'A'
        AND p.tgqual IS NULL AND p.tgfoid = 'ledger.refuse_rewrite'::regproc
)
LIMIT 100;

-- name: only_the_functions_write
-- Neither the application's role nor the readers' may write a table of the ledger, make anything in
-- its schema, or become another role.
SELECT NULL::bigint AS account, format('%s may write %s', r.rolname, c.oid::regclass)
FROM pg_class AS c
CROSS JOIN pg_roles AS r
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND r.rolname IN ('bank_app', 'bank_readonly')
    AND (
        has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE, REFERENCES')
    )
UNION ALL
SELECT NULL, format('%s may create in the schema ledger', rolname)
FROM pg_roles
WHERE rolname IN ('bank_app', 'bank_readonly') AND has_schema_privilege(oid, 'ledger', 'CREATE')
UNION ALL
SELECT NULL, format('%s may become %s', app.rolname, other.rolname)
FROM pg_roles AS app
INNER JOIN pg_roles AS other ON other.oid <> app.oid AND pg_has_role(app.oid, other.oid, 'MEMBER')
WHERE app.rolname IN ('bank_app', 'bank_readonly')
UNION ALL
SELECT NULL, format('%s is a superuser', rolname)
FROM pg_roles
WHERE rolname IN ('bank_app', 'bank_readonly') AND rolsuper
LIMIT 100;

-- name: privileged_functions_trust_no_caller
-- A function with its owner's rights finds nothing by the caller's search_path.
SELECT
    NULL::bigint AS account,
    format('%s runs as its owner, with settings %s',
        p.oid::regprocedure, coalesce(array_to_string(p.proconfig, '; '), 'of the caller'))
FROM pg_proc AS p
WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosecdef
    AND NOT coalesce('search_path=ledger, pg_catalog, pg_temp' = ANY(p.proconfig), false)
LIMIT 100;
