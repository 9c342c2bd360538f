-- One transfer between two of the accounts, each under a key of its own. As Python, who waited for an
-- account waits for the disk afterwards.
\set turn :turn + 1
\set debit random(:first, :first + :accounts - 1)
\set other random(:first, :first + :accounts - 2)
\set credit CASE WHEN :other >= :debit THEN :other + 1 ELSE :other END
\set amount random(1, 5000)
SELECT p.flushed FROM ledger.post_v2(
    1, 'single-' || :run || '-' || :client_id || '-' || :turn, :debit, :credit, :amount, 'INR',
    'transfer', 'api', current_date
) AS p \gset
\if :flushed
\else
SELECT pg_logical_emit_message(true, 'bank', 'posted');
\endif
