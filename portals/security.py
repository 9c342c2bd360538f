"""Where people see who is logged in as them, and what may act for them; and end it."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.callers import acting_as
from accounts.keys import KEYS_CURRENCY, KeyRequest, ask_key, keys_of, revoke_key
from accounts.logins import log_ins_of
from accounts.open_sessions import end_session, sessions_of
from accounts.selectors import credential_changes_of
from accounts.sessions import IN_SESSION
from accounts.standing import epoch_of, role_of
from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.amounts import parse_typed_amount
from core.api.access import SCOPES, scopes_of
from core.errors import DomainError
from core.text import one_line
from portals.customer.page import REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up

_LOG_INS_SHOWN: Final = 20
_CHANGES_SHOWN: Final = 20
_LONGEST_NAME: Final = 60
_LIVES: Final = {
    30: gettext_lazy("30 days"),
    90: gettext_lazy("90 days"),
    365: gettext_lazy("a year"),
}


class KeyForm(forms.Form):
    """What an API key is to be."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What tells it from your others."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
    )
    largest_transfer = forms.CharField(
        label=gettext_lazy("The most that it sends at once (optional)"),
        required=False,
        help_text=gettext_lazy("In rupees, or as much of another currency. Without, nothing."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    life = forms.TypedChoiceField(
        label=gettext_lazy("How long it is good"), coerce=int, choices=list(_LIVES.items())
    )

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(scope, scope) for scope in SCOPES if scope in scopes_of(role)]
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]  # a choice field

    def clean_name(self) -> str:
        """Read the name."""
        try:
            return one_line(self.cleaned_data["name"], longest=_LONGEST_NAME, field="name")
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def clean_largest_transfer(self) -> int | None:
        """Read the amount, in minor units."""
        text = self.cleaned_data["largest_transfer"]
        if not text:
            return None
        try:
            return parse_typed_amount(text, KEYS_CURRENCY).minor
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error


@require_safe
@customer_page
def security(request: HttpRequest) -> HttpResponse:
    """Show sessions, log-ins, API keys, and what was changed of all that lets in."""
    pk = person(request).pk
    context = {
        "sessions": sessions_of(pk, now=clock.now()),
        "current": request.session.get(IN_SESSION),
        "log_ins": log_ins_of(pk, before=None, most=_LOG_INS_SHOWN),
        "keys": keys_of(pk),
        "changes": credential_changes_of(pk, limit=_CHANGES_SHOWN),
    }
    return render(request, "security/security.html", context)


@require_POST
@customer_page
def session_end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End a session."""
    end_session(person(request).pk, session=session_id)
    messages.info(request, _("The session is over."))
    return redirect("security")


@require_POST
@customer_page
def key_revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Revoke an API key."""
    with acting_as(caller(request), request=request):
        revoke_key(person(request).pk, key=key_id, now=clock.now())
    messages.info(request, _("The API key is revoked."))
    return redirect("security")


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def key_new(request: HttpRequest) -> HttpResponse:
    """Make an API key, once a code is given, and show its text this once."""
    role = role_of(person(request))
    if request.method != "POST":
        return _key_page(request, KeyForm(role=role))
    form = KeyForm(request.POST, role=role)
    if not form.is_valid():
        return _key_page(request, form, status=REFUSED)
    try:
        text = _make(request, form)
    except (StepUpRequired, WrongStepUpCode) as error:
        return _key_page(request, form, code=code_field(request, error), status=REFUSED)
    except DomainError as error:
        form.add_error(None, ValidationError(error.message, code=error.code))
        return _key_page(request, form, status=error.http_status)
    return render(request, "security/key_made.html", {"text": text})


def _make(request: HttpRequest, form: KeyForm) -> str:
    now, who = clock.now(), person(request)
    step_up = typed_step_up(request, what=sorted(form.cleaned_data.items()))
    asked = KeyRequest(
        name=form.cleaned_data["name"],
        scopes=frozenset(form.cleaned_data["scopes"]),
        largest_transfer=form.cleaned_data["largest_transfer"],
        expires_at=now + timedelta(days=form.cleaned_data["life"]),
    )
    with acting_as(caller(request), request=request):
        return ask_key(who.pk, asked, epoch=epoch_of(who), step_up=step_up, now=now)[1]


def _key_page(
    request: HttpRequest, form: KeyForm, *, code: CodeField | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "code_field": code}
    return render(request, "security/key_form.html", context, status=status)
