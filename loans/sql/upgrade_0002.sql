-- Plans tell their own rate and holiday from now on: those there are have their loans' terms.
UPDATE loans_loanplan AS plan
SET rate_ppm = terms.rate_ppm,
    holiday_months = greatest(
        0,
        terms.holiday_months - loan.months
        + (SELECT count(*) FROM loans_instalment WHERE plan_id = plan.id)
    )
FROM loans_loan AS loan
JOIN loans_loanterms AS terms ON terms.id = loan.terms_id
WHERE loan.number = plan.loan_id;
