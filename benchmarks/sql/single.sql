-- One transfer between two of 100,000 accounts, each under a key of its own.
\set turn :turn + 1
\set debit random(:first, :first + 99999)
\set other random(:first, :first + 99998)
\set credit CASE WHEN :other >= :debit THEN :other + 1 ELSE :other END
\set amount random(1, 5000)
SELECT ledger.post_v1(
    1, 'single-' || :run || '-' || :client_id || '-' || :turn, :debit, :credit, :amount, 'INR',
    'transfer', 'api', current_date
);
