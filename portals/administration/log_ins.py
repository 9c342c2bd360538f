"""Statistics of log-ins, as a page and as a file."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.log_in_statistics import MonthOfLogIns, months_of_log_ins
from core import clock
from core.spreadsheets import csv_response
from portals.administration.page import admin_page, shown

SEE_LOG_INS: Final = "accounts.view_login"
_REFUSED: Final = 422
_MONTHS: Final = 12
_HEADINGS: Final = ("month", "role", "log_ins", "failures", "lock_outs", "people")
_MONTH: Final = "%Y-%m"


class MonthsForm(forms.Form):
    """From which month to which; the last twelve when nothing is asked for."""

    first = forms.DateField(
        label=gettext_lazy("From month"),
        required=False,
        input_formats=[_MONTH],
        widget=forms.DateInput(format=_MONTH, attrs={"type": "month", "placeholder": "2026-01"}),
    )
    last = forms.DateField(
        label=gettext_lazy("To month"),
        required=False,
        input_formats=[_MONTH],
        widget=forms.DateInput(format=_MONTH, attrs={"type": "month", "placeholder": "2026-12"}),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse months in the wrong order, and those that no calendar ends."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("This month is before the first one."))
        elif date.max.year in {one.year for one in (first, last) if one}:
            self.add_error("last", _("There is no month after this one."))
        return cleaned

    def months(self, *, today: date) -> list[MonthOfLogIns]:
        """Return the statistics that a form without faults asks for."""
        last = self.cleaned_data["last"] or today
        first = self.cleaned_data["first"] or _months_before(last, _MONTHS - 1)
        return months_of_log_ins(
            since=clock.start_of(first.replace(day=1)), until=clock.start_of(_next_month(last))
        )


@require_safe
@admin_page(SEE_LOG_INS)
def log_ins(request: HttpRequest) -> HttpResponse:
    """Show the statistics, newest month first."""
    form = MonthsForm(request.GET)
    is_valid = form.is_valid()
    return shown(
        request,
        "log_ins",
        _("Log-ins"),
        status=200 if is_valid else _REFUSED,
        form=form,
        months=_by_month(form.months(today=_today())) if is_valid else [],
        query=request.GET.urlencode(),
    )


@require_safe
@admin_page(SEE_LOG_INS)
def log_in_file(request: HttpRequest) -> HttpResponseBase:
    """Answer with the rows that the page would show."""
    form = MonthsForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('admin-log-ins')}?{request.GET.urlencode()}")
    return csv_response("log-ins.csv", _lines(form.months(today=_today())))


def _by_month(rows: Sequence[MonthOfLogIns]) -> list[tuple[MonthOfLogIns, list[MonthOfLogIns]]]:
    """Return each month as a whole with its rows by role."""
    wholes = [row for row in rows if row.role is None]
    return [
        (whole, [row for row in rows if row.month == whole.month and row.role is not None])
        for whole in wholes
    ]


def _lines(rows: Sequence[MonthOfLogIns]) -> Iterator[list[str]]:
    yield list(_HEADINGS)
    for row in rows:
        role = "all" if row.role is None else row.role or "unknown"
        figures = (row.log_ins, row.failures, row.lock_outs, row.people)
        yield [f"{row.month:{_MONTH}}", role, *map(str, figures)]


def _today() -> date:
    return clock.bank_day(clock.now())


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _months_before(day: date, count: int) -> date:
    months = max(day.year * 12 + day.month - 1 - count, 12)
    return date(months // 12, months % 12 + 1, 1)
