"""The history of log-ins: when, from where, with what, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.db.models.functions import Lower, TruncMonth
from django.http import HttpRequest

from accounts.devices import device_of
from accounts.models import LogIn, LogInResult, User
from core.client_address import client_address


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInMonth:
    """How often people logged in during a month, and how often they could not."""

    month: datetime
    log_ins: int
    failures: int
    people: int


def note_log_in(request: HttpRequest, *, person: int | None, result: LogInResult) -> int:
    """Add an attempt to the history; ``person`` is None when nobody has the address."""
    row = LogIn.objects.create(
        person_id=person,
        address=client_address(request),
        device=device_of(request.META.get("HTTP_USER_AGENT", "")),
        result=result,
    )
    return row.pk


def note_log_in_of(request: HttpRequest, *, email: str, result: LogInResult) -> None:
    """Add an attempt of whoever has an e-mail address; it costs the same when nobody has it."""
    found = User.objects.annotate(lower=Lower("email")).filter(lower=email.lower())
    note_log_in(request, person=found.values_list("pk", flat=True).first(), result=result)


def log_ins_of(
    pk: int, *, before: int | None, most: int, using: str = "default"
) -> Sequence[LogIn]:
    """Return a person's newest log-ins, those with an id below ``before``."""
    found = LogIn.objects.using(using).filter(person=pk)
    return list((found if before is None else found.filter(pk__lt=before))[:most])


def log_in_months(*, since: datetime, until: datetime) -> list[LogInMonth]:
    """Return the statistics of each month, of the bank's calendar, in which anybody tried."""
    succeeded = Q(result=LogInResult.SUCCEEDED)
    months = (
        LogIn.objects.filter(at__gte=since, at__lt=until)
        .order_by()
        .annotate(month=TruncMonth("at"))
        .values("month")
        .annotate(
            log_ins=Count("pk", filter=succeeded),
            failures=Count("pk", filter=~succeeded),
            people=Count("person", filter=succeeded, distinct=True),
        )
        .order_by("month")
    )
    return [LogInMonth(**one) for one in months]
