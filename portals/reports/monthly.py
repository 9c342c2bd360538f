"""The monthly report: made once on the replica, mailed once to each super admin.

Its figures are kept as they were mailed: page, PDF, files and later copies all show these.
"""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.log_in_statistics import days_on, joined_on, months_on
from accounts.models import Branch, User
from core import clock
from notifications.mail import File, Mail, queue_mail, rendered
from portals.reports.loans_at_risk import loans_at_risk
from portals.reports.models import MonthlyReport, ReportMailing
from portals.reports.paper import report_as_pdf
from transactions.reporting.account_days import UnfitPeriod
from transactions.reporting.month import Month, month_of_money
from transactions.reporting.snapshots import one_position

DUE_HOUR: Final = 6
"""The hour of the bank's day, on the first of a month, at which the report of the last is due."""

_log = structlog.get_logger(__name__)


class NobodyToSendTo(Exception):
    """The bank has no super admin who could read its report."""


def due_month(now: datetime) -> Month | None:
    """Return the month whose report is due by now; None for a bank that had nobody in it then."""
    month = Month.before(now)
    first_hours = clock.start_of(month.next.first).replace(hour=DUE_HOUR)
    return month if now >= first_hours and _had_people(month) else None


def is_sent(month: Month) -> bool:
    """Tell whether everybody who is to have a report has it; with nobody to have it, it is not."""
    mailed = ReportMailing.objects.filter(report=month.first).values("person")
    readers = _super_admins()
    return readers.exists() and not readers.exclude(pk__in=mailed).exists()


def made_report(month: Month, *, now: datetime) -> MonthlyReport:
    """Return the report of a month, made now if it was not; made twice at once, the first stays.

    Raises:
        UnfitPeriod: the bank had nobody in it then.
        PositionNotReached, BranchDown: it cannot be made now.
    """
    refuse_empty(month)
    found = MonthlyReport.objects.filter(month=month.first).first()
    if found is None:
        made = new_report(month, now=now)
        MonthlyReport.objects.bulk_create([made], ignore_conflicts=True)
        found = MonthlyReport.objects.get(month=month.first)
    return found


def send_report(report: MonthlyReport, *, copy: int = 0, now: datetime) -> int:
    """Mail a report to every super admin who has not had this copy; return to how many it was.

    Killed at any line and done again, each has it once: mail and note are of one transaction.

    Raises:
        NobodyToSendTo: with an alarm in the log.
    """
    readers = list(_super_admins())
    if not readers:
        _log.error("report_without_super_admin", month=str(report))
        raise NobodyToSendTo(str(report))
    had = report.mailings.filter(copy=copy).values_list("person", flat=True)
    waiting = [reader for reader in readers if reader.pk not in set(had)]
    paper = report_as_pdf(report) if waiting else b""
    return sum(_mail(report, one, copy=copy, paper=paper, now=now) for one in waiting)


def next_copy(report: MonthlyReport) -> int:
    """Return the number of a report's next copy: sent twice under one number, it is one."""
    last = report.mailings.order_by("-copy").first()
    return 0 if last is None else last.copy + 1


def _mail(report: MonthlyReport, person: User, *, copy: int, paper: bytes, now: datetime) -> bool:
    """Write the mail and the note of it, both or neither; False: somebody else just has."""
    with translation.override(person.language or settings.LANGUAGE_CODE):
        words = rendered("monthly_report", {"month": report.month})
    file = File(name=f"report-{report}.pdf", content_type="application/pdf", content=paper)
    mail = Mail(
        to=str(person.email), kind="monthly_report", person=person.pk, words=words, files=[file]
    )
    with transaction.atomic():
        mailing, is_new = ReportMailing.objects.get_or_create(
            report=report, person=person, copy=copy, defaults={"queued_at": now}
        )
        return is_new and queue_mail(mail, now=now, key=f"{mailing.pk}")


def new_report(month: Month, *, now: datetime) -> MonthlyReport:
    """Return a report of a month that is kept nowhere yet.

    Raises:
        PositionNotReached, BranchDown: it cannot be made now.
    """
    with one_position(until=month.until, now=now) as found:
        between = {"since": month.since, "until": month.until}
        figures: dict[str, Any] = {
            "log_ins": [asdict(one) for one in months_on(found.people, **between)],
            "days": [asdict(one) for one in days_on(found.people, **between)],
            "joined": [asdict(one) for one in joined_on(found.people, **between)],
            **asdict(month_of_money(found.ledgers, month)),
            "loans": [asdict(one) for one in loans_at_risk(clock.bank_day(now))],
        }
        as_of = found.as_of
    figures["branches"] = {
        str(number): name for number, name in Branch.objects.values_list("number", "name")
    }
    return MonthlyReport(month=month.first, as_of=as_of, made_at=now, figures=_plain(figures))


def _plain(figures: dict[str, Any]) -> Any:
    """Return figures as JSON has them."""
    return json.loads(json.dumps(figures, cls=DjangoJSONEncoder))


def refuse_empty(month: Month) -> None:
    """Refuse a month in which the bank was not there.

    Raises:
        UnfitPeriod: nobody had joined by its end.
    """
    if not _had_people(month):
        raise UnfitPeriod(_("The bank had nobody in it then."), field="month")


def _had_people(month: Month) -> bool:
    return User.objects.filter(date_joined__lt=month.until).exists()


def _super_admins() -> Any:
    return User.objects.filter(is_superuser=True, is_active=True, email__isnull=False).order_by(
        "pk"
    )
