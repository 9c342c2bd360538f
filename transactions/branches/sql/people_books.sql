-- What the head office and the replica must agree about beside the ledger; as in books.sql, and what
-- belongs to a person is counted for each person.

-- name: identities
SELECT
    number AS account, count(*),
    sum(hashtextextended(
        ROW(branch_id, product, currency, name, status, opened_at, external_reference)::text, 0))
FROM public.accounts_account
GROUP BY 1

-- name: people
SELECT
    id AS person, count(*), sum(hashtextextended(ROW(
        number, email, full_name, phone, birth_date, role, branch_id, district_id,
        external_reference, status, is_active, is_staff, is_superuser, date_joined
    )::text, 0))
FROM public.accounts_user
GROUP BY 1

-- name: branches
SELECT NULL::bigint AS account, count(*), sum(hashtextextended(ROW(id, code, number, name)::text, 0))
FROM public.accounts_branch

-- name: districts
SELECT
    NULL::bigint AS account, count(*), sum(hashtextextended(ROW(
        id, code, name, region, inhabitants, municipalities_below_500, municipalities_below_2000,
        municipalities_below_10000, municipalities_above_10000, cities, urban_share, average_salary,
        unemployment_1995, unemployment_1996, entrepreneurs_per_1000, crimes_1995, crimes_1996
    )::text, 0))
FROM public.accounts_district

-- name: cards
SELECT
    person_id AS person, count(*), sum(hashtextextended(ROW(
        id, account_id, kind, tier, state, last_four, expires_on, payment_limit, daily_limit,
        monthly_limit, issued_at, external_reference
    )::text, 0))
FROM public.accounts_card
GROUP BY 1

-- name: log_ins
-- Of those whose person nobody knows, too.
SELECT
    person_id AS person, count(*),
    sum(hashtextextended(ROW(id, at, address, device, result)::text, 0))
FROM public.accounts_login
WHERE at < %(before)s
GROUP BY 1

-- name: sessions
SELECT
    person_id AS person, count(*), sum(hashtextextended(ROW(
        id, kind, address, device, began_at, last_used_at, expires_at, ended_at
    )::text, 0))
FROM public.accounts_session
WHERE began_at < %(before)s
GROUP BY 1

-- name: status_changes
SELECT
    person_id AS person, count(*),
    sum(hashtextextended(ROW(id, status, reason, changed_by_id, changed_at)::text, 0))
FROM public.accounts_statuschange
WHERE changed_at < %(before)s
GROUP BY 1

-- name: credential_changes
SELECT
    person_id AS person, count(*), sum(hashtextextended(ROW(
        id, what, detail, changed_at, by_id, credential, address, device
    )::text, 0))
FROM public.accounts_credentialchange
WHERE changed_at < %(before)s
GROUP BY 1

-- name: approvals
-- Of whoever asked.
SELECT
    maker_id AS person, count(*), sum(hashtextextended(ROW(
        id, action, payload, reason, maker_role, asked_at, state, checker_id, decided_at, tried_at,
        words, result
    )::text, 0))
FROM public.accounts_approval
WHERE asked_at < %(before)s
GROUP BY 1

-- name: messages
SELECT
    person_id AS person, count(*), sum(hashtextextended(ROW(
        id, kind, channel, state, is_taken, tries, next_attempt_at, created_at, sent_at
    )::text, 0))
FROM public.notifications_message
WHERE created_at < %(before)s
GROUP BY 1

-- name: message_attempts
SELECT
    NULL::bigint AS person, count(*),
    sum(hashtextextended(ROW(id, message_id, at, milliseconds, failure)::text, 0))
FROM public.notifications_messageattempt
WHERE at < %(before)s
