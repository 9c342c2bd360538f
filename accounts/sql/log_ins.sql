-- Statistics of log-ins.

-- name: months
-- Log-ins by month of the bank's calendar, for each month as a whole (role NULL) and by what people are to
-- the bank now. Of whom nobody knows, the role is empty.
SELECT
    l.month,
    CASE WHEN grouping(l.role) = 0 THEN l.role END AS role,
    count(*) FILTER (WHERE l.result = 'succeeded') AS log_ins,
    count(*) FILTER (WHERE l.result <> 'succeeded') AS failures,
    count(*) FILTER (WHERE l.result = 'locked_out') AS lock_outs,
    count(DISTINCT l.person_id) FILTER (WHERE l.result = 'succeeded') AS people
FROM (
    SELECT
        date_trunc('month', one.at AT TIME ZONE %(zone)s)::date AS month,
        CASE WHEN p.is_superuser THEN 'superadmin' ELSE coalesce(p.role, '') END AS role,
        one.result,
        one.person_id
    FROM accounts_login AS one
    LEFT JOIN accounts_user AS p ON p.id = one.person_id
    WHERE one.at >= %(since)s AND one.at < %(until)s
) AS l
GROUP BY GROUPING SETS ((l.month), (l.month, l.role))
ORDER BY l.month DESC, grouping(l.role) DESC, l.role

-- name: since
-- Log-ins and failures from an instant on.
SELECT
    count(*) FILTER (WHERE result = 'succeeded') AS log_ins,
    count(*) FILTER (WHERE result <> 'succeeded') AS failures,
    count(DISTINCT person_id) FILTER (WHERE result = 'succeeded') AS people
FROM accounts_login
WHERE at >= %(since)s

-- name: days
-- Log-ins by day of the bank's calendar and by what people are to the bank now, oldest first.
SELECT
    l.day,
    l.role,
    count(*) FILTER (WHERE l.result = 'succeeded') AS log_ins,
    count(*) FILTER (WHERE l.result <> 'succeeded') AS failures,
    count(DISTINCT l.person_id) FILTER (WHERE l.result = 'succeeded') AS people
FROM (
    SELECT
        (one.at AT TIME ZONE %(zone)s)::date AS day,
        CASE WHEN p.is_superuser THEN 'superadmin' ELSE coalesce(p.role, '') END AS role,
        one.result,
        one.person_id
    FROM accounts_login AS one
    LEFT JOIN accounts_user AS p ON p.id = one.person_id
    WHERE one.at >= %(since)s AND one.at < %(until)s
) AS l
GROUP BY l.day, l.role
ORDER BY l.day, l.role

-- name: joined
-- How many people joined, by what they are to the bank now.
SELECT CASE WHEN p.is_superuser THEN 'superadmin' ELSE p.role END AS role, count(*) AS people
FROM accounts_user AS p
WHERE p.date_joined >= %(since)s AND p.date_joined < %(until)s
GROUP BY 1
ORDER BY 1
