-- name: identities
SELECT a.number, a.name, a.product, b.name AS branch
FROM public.accounts_account AS a
INNER JOIN public.accounts_branch AS b ON b.id = a.branch_id
WHERE a.number = ANY(%(numbers)s)
