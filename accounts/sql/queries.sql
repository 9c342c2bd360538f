-- name: identities
SELECT a.number, a.name, a.product, b.name AS branch
FROM public.accounts_account AS a
INNER JOIN public.accounts_branch AS b ON b.id = a.branch_id
WHERE a.number = ANY(%(numbers)s)

-- name: people_found
-- A page of the customers who fit, by name: those after a name and a key. What is NULL finds nobody; the
-- beginning of an address and the turned end of a number are patterns.
SELECT u.id
FROM public.accounts_user AS u
WHERE u.role = 'customer'
    AND (
        public.accounts_words_v1(u.full_name) @@ public.accounts_beginnings_v1(%(words)s)
        OR lower(u.email) LIKE %(email)s
        OR reverse(u.phone) LIKE %(phone)s
    )
    AND (u.full_name, u.id) > (%(after_name)s, %(after)s)
ORDER BY u.full_name, u.id
LIMIT %(limit)s
