"""What people moved in a month, as a page and as a file; read from the replica, if there is one."""

from collections.abc import Iterator, Sequence
from typing import Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access_log import note_all_viewed
from core import clock
from core.spreadsheets import closed, csv_response
from portals.administration.page import admin_page, shown
from portals.customer.page import person
from transactions.reporting.month import Month
from transactions.reporting.people import Activity, activity_of_people

SEE_ACTIVITY: Final = "portals.view_monthlyreport"
MOST_SHOWN: Final = 100
_REFUSED: Final = 422
_HEADINGS: Final = (
    *("customer", "name", "currency", "movements"),
    *("credits", "debits", "last_movement"),
)


class AnyMonthForm(forms.Form):
    """Which month; the one that runs when nothing is asked for."""

    month = forms.DateField(
        label=gettext_lazy("Month"),
        required=False,
        input_formats=["%Y-%m"],
        widget=forms.DateInput(format="%Y-%m", attrs={"type": "month", "placeholder": "2026-10"}),
    )

    def clean_month(self) -> Month:
        """Refuse a month that has yet to begin."""
        this = clock.bank_day(clock.now()).replace(day=1)
        asked = self.cleaned_data["month"] or this
        if asked > this:
            raise ValidationError(_("This month is still to come."))
        return Month(asked)


@require_safe
@admin_page(SEE_ACTIVITY)
def activity(request: HttpRequest) -> HttpResponse:
    """Show the busiest people of a month, who are told who looked."""
    form = AnyMonthForm(request.GET)
    if not form.is_valid():
        return shown(request, "activity", _("Activity"), status=_REFUSED, form=form)
    month: Month = form.cleaned_data["month"]
    people, until = activity_of_people(month, now=clock.now())
    busiest = people[:MOST_SHOWN]
    _note(request, busiest)
    return shown(
        request,
        "activity",
        _("Activity"),
        form=AnyMonthForm({"month": str(month)}),
        month=month,
        people=busiest,
        count=len({one.number for one in people}),
        left_out=len(people) > MOST_SHOWN,
        until=until,
        query=f"month={month}",
    )


@require_safe
@admin_page(SEE_ACTIVITY)
def activity_file(request: HttpRequest) -> HttpResponseBase:
    """Answer with all people of a month, who are told who looked."""
    form = AnyMonthForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('admin-activity')}?{request.GET.urlencode()}")
    month: Month = form.cleaned_data["month"]
    people, _until = activity_of_people(month, now=clock.now())
    _note(request, people)
    return csv_response(f"activity-{month}.csv", closed(_lines(people)))


def _note(request: HttpRequest, people: Sequence[Activity]) -> None:
    subjects = {one.person for one in people}
    note_all_viewed(viewer=person(request).pk, subjects=subjects, what="activity")


def _lines(people: Sequence[Activity]) -> Iterator[list[str]]:
    yield list(_HEADINGS)
    for one in people:
        yield [
            *(str(one.number), one.name, one.currency, str(one.movements)),
            *(one.credits.text, one.debits.text, one.last_at.isoformat()),
        ]
