-- Loans' accounts of an earlier release took every kind of transfer, the short way too.
UPDATE ledger.account SET usual = false WHERE purpose IN ('loan', 'loan_dues') AND usual;

COMMENT ON COLUMN ledger.account.usual IS
'running, open, no loan''s, without limits of spending, floor exactly by what is held and the overdraft '
'limit: all that post_v1 asks of an account';
