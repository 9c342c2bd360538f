-- Which nodes the bank has, and which accounts live elsewhere than their numbers say.

-- name: nodes
-- At the head office: the branches with nodes of their own, in the order in which they joined.
SELECT b.code, b.number, n.database_url
FROM public.transactions_node AS n
JOIN public.accounts_branch AS b ON b.id = n.branch_id
ORDER BY n.joined_at, b.number

-- name: this_node
-- At any node: its own branch.
SELECT code, branch_number FROM ledger.this_node

-- name: moves
-- How often accounts have moved: when it is the same, `moved` is.
SELECT coalesce(sum(moves), 0) FROM ledger.moved

-- name: moved
-- Where accounts live that have moved.
SELECT account, moves, node FROM ledger.moved

-- name: moved_to
-- At a node where an account has lived: where it went from there, or later.
SELECT moves, node FROM ledger.moved WHERE account = %s
