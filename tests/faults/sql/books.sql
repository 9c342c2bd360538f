-- What a node shows of its books. Each is one statement, so of one instant.

-- name: accounts
SELECT number, purpose, side, balance FROM ledger.balance

-- name: legs
SELECT memo, debit, credit, amount, peer FROM ledger.journal WHERE client <> 0

-- name: gids
SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY gid

-- name: copied_accounts
SELECT number, balance FROM ledger.account WHERE purpose = 'customer'

-- name: copied_legs
SELECT node, memo, debit, credit, amount, peer FROM ledger.journal WHERE client <> 0
