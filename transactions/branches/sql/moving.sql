-- What moves an account between nodes, and tells the others. The first three are parts of messages.

-- name: hand_over
SELECT ledger.hand_over_v1(%s, %s::smallint, %s, %s, %s, %s)

-- name: take_over
SELECT ledger.take_over_v1(%s, %s::smallint, %s, %s, %s, %s, %s::jsonb)

-- name: expect
SELECT ledger.expect_account_v1(%s, %s, %s, %s::smallint)

-- name: account
SELECT currency, purpose, side FROM ledger.account WHERE number = %(number)s

-- name: note
SELECT ledger.note_moved_v1(%(number)s, %(lives_on)s, %(moves)s::integer)

-- name: moves_of
SELECT node, moves FROM ledger.moved WHERE account = %(number)s

-- name: state
-- The same on all nodes that know the same moves.
SELECT count(*), bit_xor(hashtextextended(account || node || moves, 0)) FROM ledger.moved

-- name: all_moves
SELECT account, node, moves FROM ledger.moved
