-- One transfer from any of the accounts to the same one.
\set turn :turn + 1
\set debit random(:first + 1, :first + :accounts - 1)
\set amount random(1, 5000)
SELECT ledger.post_v1(
    1, 'hot-' || :run || '-' || :client_id || '-' || :turn, :debit, :first, :amount, 'INR',
    'transfer', 'api', current_date
);
