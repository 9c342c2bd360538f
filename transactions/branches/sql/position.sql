-- The position of the bank: every node seen at the same point between two transfers.

-- name: hold_back_transfers
-- Wait for transfers to other nodes that are being decided here, and let no new one begin.
SELECT pg_advisory_lock(7103, 3)

-- name: let_transfers_go_on
SELECT pg_advisory_unlock(7103, 3)

-- name: sums
-- What all accounts of a purpose hold, by currency.
SELECT currency, purpose, side, accounts, balance::bigint
FROM ledger.trial_balance
ORDER BY currency, purpose, side

-- name: owed
-- What the node owes each other one, by currency; negative: is owed. The other one's branch number is
-- the end of the clearing account's place in the chart. Summed accounts are found by an index.
SELECT number / 10 % 1000 AS branch_number, currency, balance
FROM ledger.balance
WHERE NOT running AND purpose = 'clearing' AND number / 10 % 10000 >= 1000

-- name: decided
-- Transfers that left for other nodes.
SELECT id, attempt, destination FROM ledger.decision WHERE state = 'committed'

-- name: arrived
-- Transfers that came from other nodes.
SELECT id, attempt, source FROM ledger.arrival
