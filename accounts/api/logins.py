"""The history of log-ins: the caller's own, and statistics for admins."""

from datetime import UTC, datetime, time
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.logins import LogInMonth, log_in_months, log_ins_of
from accounts.models import LogIn, LogInResult
from core import clock
from core.api.access import ADMIN, CUSTOMER, EMPLOYEE, Access
from core.api.pages import PageFilters
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import (
    BooleanField,
    ChoiceField,
    InstantField,
    IntegerField,
    StrictSerializer,
    TextField,
)
from core.api.views import BankView, caller_pk

_USUAL_MONTHS: Final = 12
_MOST_MONTHS: Final = 60
_LOG_IN: Final = {
    "at": "2026-03-02T08:00:00Z",
    "result": "succeeded",
    "device": "Firefox on Linux",
    "address": "203.0.113.7",
}
_MONTH: Final = {"month": "2026-03", "log_ins": 5210, "failures": 87, "people": 1204}


class LogInAnswer(Serializer[Any]):
    """An attempt to log in as the caller."""

    at = InstantField()
    result = ChoiceField(LogInResult.values)
    device = TextField()
    address = TextField(required=False)


class LogInsAnswer(Serializer[Any]):
    """The caller's log-ins, the newest first."""

    log_ins = LogInAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class MonthAnswer(Serializer[Any]):
    """The log-ins of a month."""

    month = TextField(pattern="^[0-9]{4}-[0-9]{2}$", help_text="Of the bank's calendar.")
    log_ins = IntegerField(least=0, most=2**53, help_text="How often somebody was let in.")
    failures = IntegerField(least=0, most=2**53, help_text="How often somebody was not.")
    people = IntegerField(least=0, most=2**53, help_text="How many people were let in.")


class StatisticsAnswer(Serializer[Any]):
    """The log-ins of the last months; a month without any is missing."""

    months = MonthAnswer(many=True)


class MonthsField(TextField):
    """How many months back, this one included."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number.

        Raises:
            ValidationError
        """
        if not (data.isascii() and data.isdigit() and len(data) <= 2):  # noqa: PLR2004  # two digits
            self.refuse("not_an_integer", "This must be a whole number.")
        if int(data) not in range(1, _MOST_MONTHS + 1):
            self.refuse("out_of_range", f"This is between 1 and {_MOST_MONTHS}.")
        return int(data)

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        bounds = {"minimum": 1, "maximum": _MOST_MONTHS, "default": _USUAL_MONTHS}
        return {"type": "integer", **bounds}


class StatisticsFilters(StrictSerializer):
    """Which months are wanted."""

    months = MonthsField(required=False, default=_USUAL_MONTHS, help_text="How many, up to now.")


class LogInList(BankView):
    """The caller's log-ins."""

    access: ClassVar = {"GET": Access(CUSTOMER, EMPLOYEE, ADMIN)}
    filters = PageFilters

    @operation(answer=LogInsAnswer, example={"log_ins": [_LOG_IN], "has_more": False})
    def get(self, request: Request) -> Response:
        """Show who logged in as you, or tried to: when, from where, and with what."""
        page = self.page(request)
        before = page.after[0] if page.after else None
        found = log_ins_of(caller_pk(request), before=before, most=page.sought)
        return Response(page.answer("log_ins", found, show=_shown, position=lambda one: [one.pk]))


class LogInStatistics(BankView):
    """The log-ins of all people."""

    access: ClassVar = {"GET": Access(ADMIN, scope="admin:read", permission="accounts.view_login")}
    filters = StatisticsFilters

    @operation(answer=StatisticsAnswer, example={"months": [_MONTH]})
    def get(self, request: Request) -> Response:  # noqa: ARG002  # filters were read from it
        """Count the log-ins of each month: successes, failures, and distinct people."""
        now = clock.now()
        since = _months_before(now, self.filtered["months"])
        found = log_in_months(since=since, until=now)
        return Response({"months": [_month(one) for one in found]})


def _months_before(now: datetime, months: int) -> datetime:
    """Return when the first of so many months began, this one included."""
    day = clock.bank_day(now)
    count = day.year * 12 + day.month - months
    first = day.replace(year=count // 12, month=count % 12 + 1, day=1)
    return datetime.combine(first, time(), ZoneInfo(settings.BANK_TIME_ZONE)).astimezone(UTC)


def _shown(log_in: LogIn) -> dict[str, Any]:
    return given(
        at=instant(log_in.at),
        result=log_in.result,
        device=log_in.device,
        address=log_in.address,
    )


def _month(month: LogInMonth) -> dict[str, Any]:
    return {
        "month": f"{month.month:%Y-%m}",
        "log_ins": month.log_ins,
        "failures": month.failures,
        "people": month.people,
    }
