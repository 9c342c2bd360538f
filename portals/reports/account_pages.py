"""How a customer's account went: a page of it, and its picture as a file."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from core import clock
from core.errors import DomainError
from portals.customer.page import REFUSED, customer_page, person
from portals.customer.statement_form import DayField
from portals.reports.pictures import KINDS, PictureNotDrawn, picture_of
from transactions.reporting.account_days import Period, account_days, period_of
from transactions.selectors import account_of

_AGAIN_SECONDS: Final = "5"


class PeriodForm(forms.Form):
    """From which day to which; six months up to today when nothing is asked for."""

    first = DayField(_("From day"))
    last = DayField(_("To day"))
    period: Period

    @property
    def filled(self) -> "PeriodForm":
        """The form of the days that are shown, also of those that nobody asked for."""
        return PeriodForm({"first": str(self.period.first), "last": str(self.period.last)})

    def clean(self) -> dict[str, Any]:
        """Refuse what no picture can be about."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.period = period_of(cleaned["first"], cleaned["last"], now=clock.now())
            except DomainError as error:
                self.add_error(error.field, ValidationError(error.message, code=error.code))
        return cleaned


@require_safe
@customer_page
def account_course(request: HttpRequest, number: int) -> HttpResponse:
    """Show how an account went."""
    form = PeriodForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "account": account_of(person(request).pk, number=number)}
        return render(request, "reports/account.html", context, status=REFUSED)
    history = account_days(person(request).pk, number=number, period=form.period)
    context = {
        "form": form.filled,
        "history": history,
        "account": history.account,
        **_files(form, number),
    }
    return render(request, "reports/account.html", context)


@require_safe
@customer_page
def account_picture(request: HttpRequest, number: int, form: str) -> HttpResponseBase:
    """Answer with the picture of how an account went, as a file."""
    asked = PeriodForm(request.GET)
    if not asked.is_valid():
        return redirect(f"{reverse('account-course', args=[number])}?{request.GET.urlencode()}")
    try:
        picture = picture_of(person(request).pk, number=number, period=asked.period, form=form)
    except PictureNotDrawn as error:
        return _later(request, asked, number, error)
    name = f"account-{number}-{asked.period.first}-{asked.period.last}.{form}"
    return HttpResponse(
        picture,
        content_type=KINDS[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _later(
    request: HttpRequest, form: PeriodForm, number: int, error: PictureNotDrawn
) -> HttpResponse:
    """Show the page with what it has without the worker, and say so."""
    history = account_days(person(request).pk, number=number, period=form.period)
    context = {
        "form": form.filled,
        "history": history,
        "account": history.account,
        "missing": error.message,
        **_files(form, number),
    }
    answer = render(request, "reports/account.html", context, status=error.http_status)
    answer.headers["Retry-After"] = _AGAIN_SECONDS
    return answer


def _files(form: PeriodForm, number: int) -> dict[str, Any]:
    days = urlencode({"first": str(form.period.first), "last": str(form.period.last)})
    addresses = {kind: reverse(f"account-picture-{kind}", args=[number]) for kind in KINDS}
    return {
        "files": [(kind.upper(), f"{address}?{days}") for kind, address in addresses.items()],
        "picture": f"{addresses['png']}?{days}",
    }
