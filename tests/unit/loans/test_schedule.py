"""Schedules of loans, against numpy-financial and by their laws."""

import random
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans.schedule import (
    Borrowing,
    InvalidBorrowing,
    Method,
    instalment_amount,
    months_later,
    schedule,
)

START = date(2024, 1, 31)
LOANS = 10_000


def borrowing(
    principal: int = 100_000_00,
    months: int = 12,
    rate_ppm: int = 120_000,
    method: Method = Method.ANNUITY,
    holiday_months: int = 0,
) -> Borrowing:
    return Borrowing(
        principal=principal,
        months=months,
        rate_ppm=rate_ppm,
        method=method,
        holiday_months=holiday_months,
    )


def rounded(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


def independent(loan: Borrowing) -> list[tuple[int, int]]:
    """Return interest and principal of each instalment, by numpy's payment, in decimals."""
    rate = Decimal(loan.rate_ppm) / 12_000_000
    payment = rounded(-npf.pmt(rate, loan.months, Decimal(loan.principal)))
    owed, found = loan.principal, []
    for number in range(loan.months):
        interest = rounded(Decimal(owed) * loan.rate_ppm / 12_000_000)
        principal = owed if number == loan.months - 1 else payment - interest
        owed -= principal
        found.append((interest, principal))
    return found


def test_annuities_equal_numpy_financial_to_the_cent_over_ten_thousand_loans() -> None:
    dice = random.Random(20260302)
    for _ in range(LOANS):
        months = dice.choice((1, 2, 6, 12, 24, 36))
        loan = borrowing(
            principal=dice.randint(1_000_00, 10**9),
            months=months,
            rate_ppm=dice.choice(
                (dice.randint(1, 1_000_000), dice.randrange(2_500, 400_000, 2_500))
            ),
        )
        got = [(one.interest, one.principal) for one in schedule(loan, start=START)]
        assert got == independent(loan), loan


loans = st.builds(
    borrowing,
    principal=st.integers(50_000_00, 10**11),
    months=st.integers(13, 360),
    rate_ppm=st.integers(0, 300_000),
    method=st.sampled_from(Method),
    holiday_months=st.integers(0, 12),
)


@given(loans)
def test_the_whole_is_repaid_in_the_months_agreed_and_nothing_is_paid_beside(
    loan: Borrowing,
) -> None:
    found = schedule(loan, start=START)
    assert len(found) == loan.months
    assert sum(one.principal for one in found) == loan.principal
    assert found[-1].balance_after == 0
    assert all(one.principal >= 0 <= one.interest for one in found)
    regular = instalment_amount(loan)
    assert all(one.principal == 0 for one in found[: loan.holiday_months])
    if loan.method is not Method.INTEREST_ONLY:
        assert {one.total for one in found[loan.holiday_months : -1]} <= {regular}


@given(loans)
def test_interest_is_what_a_month_costs_on_what_is_owed(loan: Borrowing) -> None:
    owed = loan.principal
    for one in schedule(loan, start=START):
        base = loan.principal if loan.method is Method.FLAT else owed
        twice_off = abs(2 * one.interest * 12_000_000 - 2 * base * loan.rate_ppm)
        assert twice_off <= 12_000_000
        owed -= one.principal


def test_without_interest_the_amount_is_split_and_the_last_instalment_absorbs_the_residue() -> None:
    found = schedule(borrowing(principal=100_00, months=3, rate_ppm=0), start=START)
    assert [one.total for one in found] == [33_33, 33_33, 33_34]


@pytest.mark.parametrize(
    ("months", "day"),
    [
        (1, date(2024, 2, 29)),
        (2, date(2024, 3, 31)),
        (13, date(2025, 2, 28)),
        (49, date(2028, 2, 29)),
        (12, date(2025, 1, 31)),
    ],
)
def test_short_months_and_leap_days_do_not_move_the_days_after_them(months: int, day: date) -> None:
    assert months_later(START, months) == day


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"months": 0}, "invalid_term"),
        ({"months": 481}, "invalid_term"),
        ({"rate_ppm": -1}, "invalid_rate"),
        ({"rate_ppm": 10_000_000}, "invalid_rate"),
        ({"principal": 0}, "amount_not_positive"),
        ({"principal": -5}, "amount_not_positive"),
        ({"principal": 60, "months": 100}, "amount_too_small"),
        ({"holiday_months": 12}, "invalid_holiday"),
    ],
)
def test_what_no_loan_can_be_is_refused(changes: dict[str, int], code: str) -> None:
    with pytest.raises(InvalidBorrowing) as refused:
        schedule(borrowing(**changes), start=START)  # type: ignore[arg-type]
    assert refused.value.code == code
