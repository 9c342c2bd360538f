-- A bank in which every table that is looked into has as many rows, for tests/proofs/_indexed.py.

-- name: tell
-- Let every session that begins from now on tell the plan of each statement that it runs.
DO $$
DECLARE
    v_setting text;
BEGIN
    FOREACH v_setting IN ARRAY ARRAY[
        'session_preload_libraries = ''auto_explain''', 'auto_explain.log_min_duration = 0',
        'auto_explain.log_format = ''json''', 'auto_explain.log_nested_statements = on',
        'client_min_messages = ''log'''
    ] LOOP
        EXECUTE format('ALTER DATABASE %I SET %s', current_database(), v_setting);
    END LOOP;
END
$$

-- name: people
-- Without triggers and foreign keys: what is audited here is nobody's doing.
SET session_replication_role = replica;
INSERT INTO public.accounts_user (
    id, number, email, full_name, phone, role, status, is_active, is_staff, is_superuser, date_joined,
    password, language
)
SELECT
    n, 10000000000 + n, 'person' || n || '@example.org', 'Person ' || n,
    '+91' || lpad(((n * 7919) %% 10000000000)::text, 10, '0'), 'customer', 'active', true, false, false,
    now(), '!', ''
FROM generate_series(1::bigint, %(rows)s) AS n;

-- name: accounts
-- One account in ten is a savings account.
INSERT INTO public.accounts_account (number, branch_id, product, currency, name, status, opened_at)
SELECT
    100000000000 + n, 1, CASE WHEN n %% 10 = 0 THEN 'savings' ELSE 'current' END, 'INR', '', 'open', now()
FROM generate_series(1::bigint, %(rows)s) AS n;
INSERT INTO ledger.account (number, floor, overdraft_limit, side, running, currency, purpose)
SELECT 100000000000 + n, 0, 0, 1, true, 'INR', 'customer'
FROM generate_series(1::bigint, %(rows)s) AS n;

-- name: transfers
-- Over the year to come, for which there are partitions; each account has paid a thousand times.
INSERT INTO ledger.journal (
    id, xid, debit, credit, amount, debit_after, credit_after, client, event_at, kind, channel
)
SELECT
    ledger.id_v1(t.tick, ledger.id_tail_v1()), '3', 100000000001 + t.n / 1000, 100000000001 + t.n %% %(rows)s,
    100, 100, 100, 0, to_timestamp(t.tick / 4096000.0),
    (ARRAY['transfer', 'payment', 'card', 'withdrawal'])[1 + t.n %% 4], 'api'
FROM (
    SELECT
        n, (extract(EPOCH FROM now()) * 4096000)::bigint + (n %% 1000) * 86400 * 4096000 / 3 AS tick
    FROM generate_series(0::bigint, %(rows)s - 1) AS n
) AS t;

-- name: loans
INSERT INTO public.loans_loanterms (
    id, product, currency, effective_from, method, rate_ppm, least_amount, most_amount, least_months,
    most_months, holiday_months, opening_fee_ppm, instalment_fee, grace_days, penalty
)
VALUES (1, 'personal', 'INR', '2020-01-01', 'annuity', 100000, 1, 1000000, 1, 60, 0, 0, 0, 0, 0);
INSERT INTO public.loans_loanapplication (
    id, applicant_id, account, terms_id, amount, months, purpose, monthly_income, documents_seen, state,
    created_at, decision_reason
)
SELECT
    ledger.id_v1(n * 4096, ledger.id_tail_v1()), 1 + n / 2, 1, 1, 1, 12, 'test', 0, '[]',
    CASE WHEN n %% 2 = 0 THEN 'accepted' ELSE 'refused' END, now(), ''
FROM generate_series(1::bigint, %(rows)s) AS n;
INSERT INTO public.loans_loan (
    number, dues, application_id, borrower_id, account, terms_id, amount, months, state, accepted_at
)
SELECT
    200000000000 + row_number() OVER (), 300000000000 + row_number() OVER (), a.id, a.applicant_id, 1, 1, 1,
    12, 'repaid', now()
FROM public.loans_loanapplication AS a;
SET session_replication_role = DEFAULT;

-- name: vacuum_people
VACUUM ANALYZE public.accounts_user

-- name: vacuum_accounts
VACUUM ANALYZE public.accounts_account

-- name: vacuum_ledger
VACUUM ANALYZE ledger.account, ledger.journal

-- name: vacuum_loans
VACUUM ANALYZE public.loans_loanapplication, public.loans_loan, public.loans_loanterms

-- name: large_tables
SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > 500
