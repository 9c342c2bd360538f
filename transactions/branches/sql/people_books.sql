-- What the head office and the replica must agree about beside the ledger; as in books.sql.

-- name: identities
SELECT
    number AS account, count(*),
    sum(hashtextextended(
        ROW(branch_id, product, currency, name, opened_at, external_reference)::text, 0))
FROM public.accounts_account
GROUP BY 1

-- name: people
SELECT
    NULL::bigint AS account, count(*), sum(hashtextextended(ROW(
        id, number, email, full_name, phone, birth_date, role, branch_id, district_id,
        external_reference, status, is_active, is_staff, is_superuser, date_joined
    )::text, 0))
FROM public.accounts_user

-- name: branches
SELECT NULL::bigint AS account, count(*), sum(hashtextextended(ROW(id, code, number, name)::text, 0))
FROM public.accounts_branch
