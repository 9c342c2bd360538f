"""The monthly report in the administration: as a page, on paper, as files, and sent once more."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.errors import DomainError
from core.spreadsheets import closed, csv_response
from portals.administration.page import admin_page, shown
from portals.reports.models import MonthlyReport
from portals.reports.monthly import next_copy, refuse_empty
from portals.reports.paper import report_as_pdf
from portals.reports.tables import TABLES, tables_of
from portals.tasks import make_monthly_report
from transactions.reporting.month import Month

SEE: Final = "portals.view_monthlyreport"
SEND: Final = "portals.send_monthlyreport"
_REFUSED: Final = 422
_FIRST_TABLE: Final = "volumes"


class MonthForm(forms.Form):
    """Which month; the last one that is over when nothing is asked for."""

    month = forms.CharField(
        label=gettext_lazy("Month"),
        required=False,
        max_length=7,
        widget=forms.DateInput(attrs={"type": "month", "placeholder": "2026-10"}),
    )
    chosen: Month

    def clean_month(self) -> str:
        """Refuse what is no month that is over."""
        text: str = self.cleaned_data["month"]
        now = clock.now()
        try:
            self.chosen = Month.parse(text, now=now) if text else Month.before(now)
            refuse_empty(self.chosen)
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error
        return text

    @property
    def report(self) -> MonthlyReport | None:
        """The report of the month, if it was made."""
        return MonthlyReport.objects.filter(month=self.chosen.first).first()


class CopyForm(MonthForm):
    """Which copy of a month's report to send: sent twice from one page, it is one."""

    copy = forms.IntegerField(min_value=0, max_value=10_000, required=False)


@require_safe
@admin_page(SEE)
def monthly(request: HttpRequest) -> HttpResponse:
    """Show the report of a month."""
    form = MonthForm(request.GET)
    if not form.is_valid():
        status = _REFUSED if request.GET.get("month") else 200
        return shown(request, "monthly", _("Monthly report"), status=status, form=form)
    report = form.report
    return shown(
        request,
        "monthly",
        _("Monthly report"),
        form=MonthForm({"month": str(form.chosen)}),
        report=report,
        month=str(form.chosen),
        month_day=form.chosen.first,
        tables=tables_of(report) if report else [],
        mailings=report.mailings.select_related("person") if report else [],
        copy=next_copy(report) if report else 0,
        may_send=request.user.has_perm(SEND),
        months=_others(form.chosen.first),
    )


@require_safe
@admin_page(SEE)
def monthly_pdf(request: HttpRequest) -> HttpResponseBase:
    """Answer with a report as it was mailed."""
    return _of_report(
        request,
        lambda report: HttpResponse(
            report_as_pdf(report),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="report-{report}.pdf"'},
        ),
    )


@require_safe
@admin_page(SEE)
def monthly_csv(request: HttpRequest) -> HttpResponseBase:
    """Answer with one table of a report."""
    make = TABLES.get(request.GET.get("table", _FIRST_TABLE))
    if make is None:
        raise Http404
    return _of_report(
        request,
        lambda report: csv_response(
            f"report-{report}-{make(report.figures).name}.csv",
            closed(make(report.figures).lines),
        ),
    )


@require_POST
@admin_page(SEND)
def send(request: HttpRequest) -> HttpResponse:
    """Have a report made, if it was not, and mailed once more to the super admins."""
    form = CopyForm(request.POST)
    if not form.is_valid():
        return shown(request, "monthly", _("Monthly report"), status=_REFUSED, form=form)
    copy = form.cleaned_data["copy"] or 0
    month = str(form.chosen)
    make_monthly_report.ask(
        key=f"{month} copy {copy} by hand", now=clock.now(), month=month, copy=copy
    )
    messages.success(request, _("The report is being made and goes to the super admins."))
    return redirect(_address(month))


def _of_report(
    request: HttpRequest, answer: Callable[[MonthlyReport], HttpResponseBase]
) -> HttpResponseBase:
    form = MonthForm(request.GET)
    report = form.report if form.is_valid() else None
    return answer(report) if report else redirect(_address(request.GET.get("month", "")))


def _others(month: date) -> list[Any]:
    """Return the months whose reports were made, but for one."""
    return list(MonthlyReport.objects.exclude(month=month).values_list("month", flat=True)[:24])


def _address(month: str) -> str:
    return f"{reverse('admin-monthly-report')}?{urlencode({'month': month})}"
