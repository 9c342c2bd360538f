"""The limits of an account: seen by all its holders, changed by its owners."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.callers import acting_as
from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.amounts import parse_typed_amount
from core.errors import DomainError
from core.money import Money
from portals.customer.page import REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.limits.changing import (
    OWN,
    LimitsRequest,
    LimitsView,
    change_own_limits,
    limits_seen_by,
)

_ZERO: Final = "amount_not_positive"
_NAMES: Final = {
    "daily_limit": gettext_lazy("In a day"),
    "transfer_limit": gettext_lazy("In one transfer"),
}


class LimitsForm(forms.Form):
    """What an account may spend at most; empty: no limit."""

    daily_limit = forms.CharField(label=_NAMES["daily_limit"], required=False)
    transfer_limit = forms.CharField(label=_NAMES["transfer_limit"], required=False)

    def __init__(self, data: QueryDict | None = None, *, view: LimitsView) -> None:
        self.view = view
        super().__init__(data)
        for name, money in _known(view).items():
            field = self.fields[name]
            field.initial = "" if money is None else money.text
            field.help_text = _("Empty: no limit.")
            field.widget.attrs = {"inputmode": "decimal", "autocomplete": "off"}
            field.validators = []

    def clean(self) -> dict[str, Any]:
        """Read the limits, in minor units; of those that are as before nothing stays."""
        read = {name: self._read(name, self.cleaned_data.get(name, "")) for name in _NAMES}
        known = {name: money and money.minor for name, money in _known(self.view).items()}
        return {name: to for name, to in read.items() if to != known[name]}

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused."""
        field = error.field if error.field in self.fields else None
        self.add_error(field, ValidationError(error.message, code=error.code))

    def _read(self, name: str, text: str) -> int | None:
        """Read a limit, which unlike what is sent may be zero."""
        if not text:
            return None
        try:
            return parse_typed_amount(text, self.view.limits.currency).minor
        except DomainError as error:
            if error.code != _ZERO:
                self.add_error(name, ValidationError(error.message, code=error.code))
            return 0


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def limits(request: HttpRequest, number: int) -> HttpResponse:
    """Show the limits of an account, lower them, ask to raise them, or withdraw that."""
    view = limits_seen_by(person(request).pk, number=number, now=clock.now())
    if request.method != "POST":
        return _page(request, LimitsForm(view=view))
    if "withdraw" in request.POST:
        # Asking for what there is takes the place of a raise that waits.
        known = {str(limit): view.limits.of(limit) for limit in OWN}
        wanted = {name: known[name] for name in known if name == request.POST["withdraw"]}
        form = LimitsForm(view=view)
    else:
        form = LimitsForm(request.POST, view=view)
        if not form.is_valid():
            return _page(request, form, status=REFUSED)
        wanted = form.cleaned_data
    try:
        return _changed(request, view, wanted)
    except (StepUpRequired, WrongStepUpCode) as error:
        return _page(request, form, code=code_field(request, error), status=REFUSED)
    except DomainError as error:
        form.refuse(error)
        return _page(request, form, status=error.http_status)


def _changed(request: HttpRequest, view: LimitsView, wanted: dict[str, Any]) -> HttpResponse:
    """Change limits and show them again.

    Raises:
        StepUpRequired, WrongStepUpCode, and what refuses it
    """
    number = view.limits.number
    if wanted:
        asked = LimitsRequest(
            user=person(request).pk,
            account=number,
            currency=view.limits.currency,
            wanted={limit: wanted[limit] for limit in OWN if limit in wanted},
        )
        step_up = typed_step_up(request, what=sorted(wanted.items()))
        with acting_as(caller(request)):
            change_own_limits(asked, step_up=step_up, now=clock.now())
        messages.success(request, _("Lowered limits hold at once; raised ones after a day."))
    return redirect("limits", number=number)


def _page(
    request: HttpRequest, form: LimitsForm, *, code: CodeField | None = None, status: int = 200
) -> HttpResponse:
    view, currency = form.view, form.view.limits.currency
    raises = [
        {
            "name": _NAMES[wish.limit],
            "limit": wish.limit,
            "to": None if wish.minor is None else Money(wish.minor, currency),
            "at": wish.applies_at,
        }
        for wish in view.raises
        if wish.limit in _NAMES
    ]
    context = {
        "form": form,
        "number": view.limits.number,
        "is_owner": view.is_owner,
        "known": [(_NAMES[name], money) for name, money in _known(view).items()],
        "spent": Money(view.limits.spent, currency),
        "raises": raises,
        "code_field": code,
    }
    return render(request, "customer/limits.html", context, status=status)


def _known(view: LimitsView) -> dict[str, Money | None]:
    """Return the limits that hold, by name."""
    currency = view.limits.currency
    minor = {str(limit): view.limits.of(limit) for limit in OWN}
    return {name: None if to is None else Money(to, currency) for name, to in minor.items()}
