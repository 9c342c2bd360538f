-- The months of fraud alerts.

-- name: add_partition
SELECT public.transactions_add_alert_partition_v1(%(month)s::date)

-- name: months_without_partition
-- The months from `first` to `ahead` months later that have no partition of alerts yet.
SELECT month::date
FROM generate_series(
    %(first)s::timestamp, %(first)s::timestamp + make_interval(months => %(ahead)s), interval '1 month'
) AS month
WHERE to_regclass('public.transactions_fraudalert_' || to_char(month, 'YYYY_MM')) IS NULL
ORDER BY month
