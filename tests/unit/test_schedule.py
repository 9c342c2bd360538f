"""The dates of standing orders."""

from datetime import date

import pytest

from transactions.payments.schedule import Frequency, Schedule, Weekend, is_month_end


def dates(frequency: Frequency, first: date, count: int = 4, **how: object) -> list[str]:
    """Return the first dates of a schedule, as text."""
    schedule = Schedule(frequency=frequency, first_date=first, **how)  # type: ignore[arg-type]
    return [day.isoformat() for day in schedule.dates_from(first, limit=count)]


class TestDates:
    def test_by_the_week_keep_their_weekday(self) -> None:
        first = date(2026, 12, 28)
        assert dates(Frequency.WEEKLY, first, 3) == ["2026-12-28", "2027-01-04", "2027-01-11"]
        assert dates(Frequency.FORTNIGHTLY, first, 2) == ["2026-12-28", "2027-01-11"]

    def test_by_the_month_keep_the_day_and_return_to_it_after_a_short_month(self) -> None:
        first = date(2027, 12, 31)
        assert dates(Frequency.MONTHLY, first) == [
            "2027-12-31",
            "2028-01-31",
            "2028-02-29",
            "2028-03-31",
        ]

    def test_at_the_months_end_follow_it(self) -> None:
        first = date(2026, 2, 28)
        assert dates(Frequency.MONTHLY, first, 3) == ["2026-02-28", "2026-03-28", "2026-04-28"]
        assert dates(Frequency.MONTHLY, first, 3, month_end=True) == [
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
        ]

    def test_by_quarter_and_year(self) -> None:
        assert dates(Frequency.QUARTERLY, date(2026, 11, 30), 2) == ["2026-11-30", "2027-02-28"]
        leap_day = date(2028, 2, 29)
        assert dates(Frequency.YEARLY, leap_day, 5) == [
            "2028-02-29",
            "2029-02-28",
            "2030-02-28",
            "2031-02-28",
            "2032-02-29",
        ]

    def test_end_with_the_last_one(self) -> None:
        first, last = date(2026, 1, 1), date(2026, 3, 1)
        assert len(dates(Frequency.MONTHLY, first, last_date=last)) == 3
        schedule = Schedule(frequency=Frequency.MONTHLY, first_date=first, last_date=last)
        assert schedule.date_after(date(2026, 2, 15)) == last
        assert schedule.date_after(last) is None
        assert schedule.date_paid_from(date(2026, 3, 2)) is None


class TestAWeekend:
    @pytest.mark.parametrize(
        ("weekend", "saturday", "sunday"),
        [
            (Weekend.SAME, 7, 8),
            (Weekend.BEFORE, 6, 6),
            (Weekend.AFTER, 9, 9),
        ],
    )
    def test_is_paid_as_the_order_says(self, weekend: Weekend, saturday: int, sunday: int) -> None:
        schedule = Schedule(
            frequency=Frequency.WEEKLY, first_date=date(2026, 3, 7), weekend=weekend
        )
        assert schedule.pay_date(date(2026, 3, 7)) == date(2026, 3, saturday)
        assert schedule.pay_date(date(2026, 3, 8)) == date(2026, 3, sunday)
        for weekday in range(2, 7):
            assert schedule.pay_date(date(2026, 3, weekday)) == date(2026, 3, weekday)

    def test_lets_a_date_be_found_by_the_day_on_which_it_is_paid(self) -> None:
        schedule = Schedule(
            frequency=Frequency.WEEKLY, first_date=date(2026, 3, 7), weekend=Weekend.BEFORE
        )
        assert schedule.date_paid_from(date(2026, 3, 6)) == date(2026, 3, 7)
        assert schedule.date_paid_from(date(2026, 3, 7)) == date(2026, 3, 14)


def test_knows_the_end_of_a_month() -> None:
    assert is_month_end(date(2028, 2, 29))
    assert not is_month_end(date(2028, 2, 28))
