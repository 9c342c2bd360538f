"""Default risk: which models serve, how they hold, whom they let through, and training anew."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.errors import DomainError
from loans.risk.appointing import MANAGE, SEE, ask_appointment
from loans.risk.models import RiskModel
from loans.risk.overview import risk_overview
from loans.risk.registry import Role
from loans.risk.rescoring import champion_or_refuse
from loans.risk.retraining import refuse_too_few_outcomes
from loans.tasks import rescore_book, train_risk_model
from portals.administration.page import admin_page, shown
from portals.customer.page import REFUSED, person

_PAGE = "admin-risk"


class AppointmentForm(forms.Form):
    """Which model is to serve, in which role, and why."""

    model = forms.TypedChoiceField(label=gettext_lazy("Model"), coerce=int)
    role = forms.ChoiceField(label=gettext_lazy("Serves as"), choices=Role.choices)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        models = [(one.pk, f"{one} ({one.short_digest})") for one in RiskModel.objects.all()[:20]]
        cast("forms.ChoiceField", self.fields["model"]).choices = models


@require_safe
@admin_page(SEE)
def risk(request: HttpRequest) -> HttpResponse:
    """Show how the models serve and hold."""
    return _shown(request, AppointmentForm())


@require_POST
@admin_page(MANAGE)
def appoint(request: HttpRequest) -> HttpResponse:
    """Ask that a model serves; another admin must approve."""
    form = AppointmentForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, status=REFUSED)
    asked = form.cleaned_data
    try:
        ask_appointment(
            asked["model"],
            role=Role(asked["role"]),
            maker=person(request).pk,
            reason=asked["reason"],
        )
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _shown(request, form, status=REFUSED)
    messages.success(request, _("Somebody else must approve it now."))
    return redirect(_PAGE)


@require_POST
@admin_page(MANAGE)
def retrain(request: HttpRequest) -> HttpResponse:
    """Have a model trained on the bank's own loans."""
    now = clock.now()
    refuse_too_few_outcomes()
    train_risk_model.ask(key=f"{now:%Y-%m-%d %H:%M}", now=now)
    messages.success(request, _("A model is being trained; it waits here for its appointment."))
    return redirect(_PAGE)


@require_POST
@admin_page(MANAGE)
def rescore(request: HttpRequest) -> HttpResponse:
    """Have the whole book scored anew, once a day."""
    now = clock.now()
    champion_or_refuse()
    day = str(clock.bank_day(now))
    if rescore_book.ask(key=day, now=now, day=day):
        messages.success(request, _("The loans are being scored anew."))
    else:
        messages.info(request, _("The loans were scored anew today already."))
    return redirect(_PAGE)


def _shown(request: HttpRequest, form: AppointmentForm, status: int = 200) -> HttpResponse:
    return shown(
        request,
        "risk",
        _("Default risk"),
        status=status,
        found=risk_overview(now=clock.now()),
        form=form,
        may_manage=request.user.has_perm(MANAGE),
    )
