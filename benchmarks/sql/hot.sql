-- One transfer from any of the accounts to the same one. As Python, who waited for an account waits
-- for the disk afterwards.
\set turn :turn + 1
\set debit random(:first + 1, :first + :accounts - 1)
\set amount random(1, 5000)
SELECT p.flushed FROM ledger.post_v2(
    1, 'hot-' || :run || '-' || :client_id || '-' || :turn, :debit, :first, :amount, 'INR',
    'transfer', 'api', current_date
) AS p \gset
\if :flushed
\else
SELECT pg_logical_emit_message(true, 'bank', 'posted');
\endif
