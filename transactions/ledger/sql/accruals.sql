-- What customers' accounts earn: each day's balance and rate, kept where the account was at the end of that
-- day. Nothing is rounded here: interest is balance times rate over all days of a month, rounded once when
-- it is posted.

CREATE TABLE ledger.accrual (
    day date NOT NULL,
    account bigint NOT NULL,
    balance ledger.positive NOT NULL,
    rate_ppm integer NOT NULL CHECK (rate_ppm BETWEEN 1 AND 1000000),
    PRIMARY KEY (day, account)
);
COMMENT ON COLUMN ledger.accrual.balance IS
'at the end of the day, by all that was recorded until then; who owes earns nothing, and has no row';
COMMENT ON COLUMN ledger.accrual.rate_ppm IS 'millionths a year';

SELECT ledger.guard_v1('ledger.accrual');
GRANT SELECT ON ledger.accrual TO bank_app, bank_readonly;

-- name: interest_v1
-- Minor units of interest for the sum of balance times rate_ppm over days: a 365th of a year each, also
-- in leap years (ACT/365 Fixed), rounded half to even.
CREATE FUNCTION ledger.interest_v1(p_sum numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    div(p_sum, 365000000) + CASE
        WHEN mod(p_sum, 365000000) * 2 > 365000000 THEN 1
        WHEN mod(p_sum, 365000000) * 2 = 365000000 THEN mod(div(p_sum, 365000000), 2)
        ELSE 0
    END
)::bigint;

-- name: accrue_v1
-- Keep what these accounts earn for a day that ends at p_until, and answer with how many have earned here
-- that day. Each account counts once a day, with what was kept first. p_late are the moves to this
-- node which left the other one before the day's end: what they brought counts as being here by then.
-- Raises instant_in_future before the day's end. The caller has waited for the postings under way then.
CREATE FUNCTION ledger.accrue_v1(
    p_day date, p_until timestamptz, p_accounts bigint [], p_rates integer [], p_late uuid []
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
BEGIN
    IF p_until > clock_timestamp() THEN
        PERFORM ledger.refuse_v1(84);
    END IF;
    INSERT INTO ledger.accrual (day, account, balance, rate_ppm)
    SELECT p_day, a.number, a.balance - coalesce(later.change, 0), earning.rate
    FROM unnest(p_accounts, p_rates) AS earning (number, rate)
    INNER JOIN ledger.account AS a ON a.number = earning.number
    LEFT JOIN (
        SELECT e.account, sum(e.change)::bigint AS change
        FROM ledger.entry AS e
        WHERE e.id >= ledger.id_from_v1(p_until) AND NOT EXISTS (
            SELECT FROM ledger.arrival AS r WHERE r.id = ANY(p_late) AND r.transfer_id = e.id
        )
        GROUP BY e.account
    ) AS later ON later.account = a.number
    WHERE a.running AND earning.rate > 0 AND a.balance - coalesce(later.change, 0) > 0
    ON CONFLICT DO NOTHING;
    RETURN (SELECT count(*) FROM ledger.accrual WHERE day = p_day);
END
$$;

-- name: keep_accruals_v1
-- Keep what accounts have earned where they lived before; what is kept already stays.
CREATE FUNCTION ledger.keep_accruals_v1(
    p_days date [], p_accounts bigint [], p_balances bigint [], p_rates integer []
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ledger, pg_catalog, pg_temp AS $$
    INSERT INTO ledger.accrual (day, account, balance, rate_ppm)
    SELECT brought.* FROM unnest(p_days, p_accounts, p_balances, p_rates) AS brought
    ON CONFLICT DO NOTHING
$$;

REVOKE ALL ON FUNCTION ledger.interest_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.accrue_v1 FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.keep_accruals_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.interest_v1 TO bank_app, bank_readonly;
GRANT EXECUTE ON FUNCTION ledger.accrue_v1 TO bank_app;
GRANT EXECUTE ON FUNCTION ledger.keep_accruals_v1 TO bank_app;
