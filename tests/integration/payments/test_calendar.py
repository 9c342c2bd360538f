"""Holidays: standing orders are paid on the working day before or after, as at weekends."""

from datetime import date

import pytest

from accounts.models import Branch, User
from accounts.services import head_office
from tests.integration.payments.test_standing_orders import NOW, TODAY, given, noon, pay, wish
from transactions.calendars.changing import InvalidHoliday, add_holiday, withdraw_holiday
from transactions.calendars.models import Holiday
from transactions.payments.models import StandingOrder
from transactions.payments.schedule import Weekend


def holiday(admin: User, day: date, *, branch: Branch | None = None) -> Holiday:
    """Let the bank, or a branch, not work on a day."""
    return add_holiday(day, branch=branch, name="Holi", admin=admin.pk, now=NOW)


def pay_days(*orders: StandingOrder) -> list[date | None]:
    """Return when orders are paid next."""
    return [StandingOrder.objects.get(pk=order.pk).pay_date for order in orders]


@pytest.mark.django_db
class TestADate:
    def test_at_a_holiday_is_paid_as_at_a_weekend(self, asha: User, mine: int, theirs: int) -> None:
        before, after = (
            given(wish(asha, mine, theirs, first=date(2026, 3, day), weekend=how))
            for day, how in ((7, Weekend.BEFORE), (6, Weekend.AFTER))
        )
        friday = holiday(asha, date(2026, 3, 6))
        assert pay_days(before, after) == [date(2026, 3, 5), date(2026, 3, 9)]
        with pytest.raises(InvalidHoliday, match="already"):
            holiday(asha, date(2026, 3, 6))
        withdraw_holiday(friday, admin=asha.pk, now=NOW)
        assert pay_days(before, after) == [date(2026, 3, 6), date(2026, 3, 6)]
        with pytest.raises(InvalidHoliday, match="withdrawn"):
            withdraw_holiday(friday, admin=asha.pk, now=NOW)
        with pytest.raises(InvalidHoliday, match="to come"):
            holiday(asha, TODAY)
        holiday(asha, date(2026, 3, 6))
        assert [pay(noon(3, day)) for day in (4, 5, 6, 9)] == [0, 1, 0, 1]

    def test_does_not_care_about_another_branchs_holiday(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        elsewhere = Branch.objects.create(code="PUN", number=333, name="Pune")
        holiday(asha, date(2026, 3, 6), branch=elsewhere)
        holiday(asha, date(2026, 3, 9), branch=head_office())
        how = {"first": date(2026, 3, 6), "weekend": Weekend.AFTER}
        mandate = given(wish(asha, mine, theirs, **how))  # type: ignore[arg-type]
        assert mandate.pay_date == date(2026, 3, 6)
        how = {"first": date(2026, 3, 7), "weekend": Weekend.AFTER}
        mandate = given(wish(asha, mine, theirs, **how))  # type: ignore[arg-type]
        assert mandate.pay_date == date(2026, 3, 10)
