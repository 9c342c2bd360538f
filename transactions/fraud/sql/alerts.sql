-- Fraud alerts: a table that grows without end, partitioned by month (UTC) of what each is about. The id
-- begins with that time, so the primary key, which keeps an alert from being raised twice, can hold over
-- all months.

CREATE TABLE public.transactions_fraudalert (
    id uuid NOT NULL PRIMARY KEY,
    rule varchar(16) NOT NULL,
    account bigint,
    facts jsonb NOT NULL,
    transfers uuid [] NOT NULL,
    happened_at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    state varchar(10) NOT NULL,
    decided_at timestamptz,
    reason varchar(200) NOT NULL,
    decided_by_id bigint REFERENCES public.accounts_user DEFERRABLE INITIALLY DEFERRED,
    person_id bigint REFERENCES public.accounts_user DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fraud_alert_is_about_somebody CHECK (account IS NOT NULL OR person_id IS NOT NULL),
    CONSTRAINT fraud_alert_decided_by_state CHECK ((state = 'open') = (decided_at IS NULL))
) PARTITION BY RANGE (id);

CREATE INDEX fraud_alert_newest ON public.transactions_fraudalert (raised_at DESC, id DESC);
CREATE INDEX fraud_alert_waiting ON public.transactions_fraudalert (state)
WHERE state IN ('open', 'watched');
CREATE INDEX fraud_alert_of_account ON public.transactions_fraudalert (account);
CREATE INDEX fraud_alert_of_person ON public.transactions_fraudalert (person_id);

CREATE TABLE public.transactions_fraudalert_default PARTITION OF public.transactions_fraudalert DEFAULT;
REVOKE DELETE, TRUNCATE ON public.transactions_fraudalert, public.transactions_fraudalert_default
FROM bank_app;

-- name: transactions_add_alert_partition_v1
-- Make sure that the month of `p_month` (UTC) has its partition; true when one was added. Raises
-- lock_not_available rather than wait long for whoever writes; the caller comes again.
CREATE FUNCTION public.transactions_add_alert_partition_v1(p_month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_month::timestamp) AT TIME ZONE 'UTC';
    v_name text := 'transactions_fraudalert_' || to_char(v_month, 'YYYY_MM');
BEGIN
    IF to_regclass('public.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE public.%I '
        '(LIKE public.transactions_fraudalert INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
    EXECUTE format(
        'ALTER TABLE public.transactions_fraudalert ATTACH PARTITION public.%I '
        'FOR VALUES FROM (%L) TO (%L)',
        v_name, ledger.id_from_v1(v_month), ledger.id_from_v1(v_month + interval '1 month'));
    EXECUTE format('REVOKE DELETE, TRUNCATE ON public.%I FROM bank_app', v_name);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION public.transactions_add_alert_partition_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.transactions_add_alert_partition_v1 TO bank_app;

SELECT public.transactions_add_alert_partition_v1(
    (date_trunc('month', now()) + make_interval(months => ahead))::date
)
FROM generate_series(0, 12) AS ahead;
