"""Cards: seen, asked for, activated, frozen, limited."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.cards.governing import (
    activate_card,
    change_card_limits,
    freeze_card,
    unfreeze_card,
)
from accounts.cards.numbers import shown_card_number
from accounts.models import Card, CardKind, CardLimit, CardState, CardTier
from accounts.numbers import parse_account_number
from accounts.reasons import LONGEST_REASON
from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.amounts import parse_typed_amount
from core.cursors import InvalidCursor, cursor_for, read_cursor
from core.db.keyset import position
from core.errors import DomainError
from portals.customer.page import NOT_FOUND, REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.card_payments.asking import CardRequest, ask_card, cards_asked_by
from transactions.card_payments.showing import (
    CardView,
    card_shown,
    cards_shown,
    payments_shown,
)
from transactions.selectors import accounts_of

PAGE: Final = 20
_ZERO: Final = "amount_not_positive"
_CHANGEABLE: Final = {CardState.ISSUED, CardState.ACTIVE, CardState.FROZEN}


class CardForm(forms.Form):
    """A card to ask for."""

    account = forms.ChoiceField(label=gettext_lazy("Account"))
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=CardKind.choices,
        help_text=gettext_lazy("A credit card needs an account that may be overdrawn."),
    )
    tier = forms.ChoiceField(
        label=gettext_lazy("How far it reaches"),
        choices=CardTier.choices,
        initial=CardTier.CLASSIC,
        help_text=gettext_lazy("You can change its limits at any time."),
    )
    reason = forms.CharField(label=gettext_lazy("What you need it for"), max_length=LONGEST_REASON)

    def __init__(self, *args: Any, user: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = [  # type: ignore[attr-defined]  # a choice field
            (str(one.number), f"{capfirst(one.product)} · {one.number} · {one.currency}")
            for one in accounts_of(user)
            if one.status == "open"
        ]

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        field = error.field if error.field in self.fields else None
        self.add_error(field, ValidationError(error.message, code=error.code))


class CardLimitsForm(forms.Form):
    """What a card pays at most."""

    def __init__(self, data: QueryDict | None = None, *, card: Card) -> None:
        self.card = card
        super().__init__(data)
        for limit in CardLimit:
            self.fields[limit] = forms.CharField(
                label=limit.label,
                initial=card.limit(limit).text,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )

    def clean(self) -> dict[str, Any]:
        """Read the limits, in minor units; of those that are as before nothing stays."""
        typed = {
            limit: self.cleaned_data[limit] for limit in CardLimit if limit in self.cleaned_data
        }
        read = {limit: self._read(limit, text) for limit, text in typed.items()}
        return {limit: to for limit, to in read.items() if to != getattr(self.card, limit)}

    def _read(self, limit: CardLimit, text: str) -> int:
        """Read a limit, which unlike what is paid may be zero."""
        try:
            return parse_typed_amount(text, self.card.account.currency).minor
        except DomainError as error:
            if error.code != _ZERO:
                self.add_error(limit, ValidationError(error.message, code=error.code))
            return 0


@require_safe
@customer_page
def cards(request: HttpRequest) -> HttpResponse:
    """Show the person's cards, and which they asked for."""
    pk = person(request).pk
    context = {"cards": cards_shown(pk, now=clock.now()), "asked": _asked(pk)}
    return render(request, "customer/cards.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def card(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Show a card with its payments, and change its limits."""
    view = _view(request, card_id)
    if request.method != "POST":
        return _page(request, view, CardLimitsForm(card=view.card))
    form = CardLimitsForm(request.POST, card=view.card)
    if not form.is_valid():
        return _page(request, view, form, status=REFUSED)
    wanted: dict[Any, int] = form.cleaned_data
    try:
        change_card_limits(
            caller(request),
            card_id=card_id,
            wanted=wanted,
            step_up=typed_step_up(request, what=sorted(wanted.items())),
            now=clock.now(),
        )
    except (StepUpRequired, WrongStepUpCode) as error:
        return _page(request, view, form, code=code_field(request, error), status=REFUSED)
    messages.success(request, _("The card's limits are as you set them."))
    return redirect("card", card_id=card_id)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a card."""
    who = person(request)
    initial = {"account": request.GET.get("account", "")}
    form = CardForm(request.POST or None, user=who.pk, initial=initial)
    if form.is_bound and form.is_valid():
        wish = CardRequest(
            person=who,
            account=parse_account_number(form.cleaned_data["account"]),
            kind=CardKind(form.cleaned_data["kind"]),
            tier=CardTier(form.cleaned_data["tier"]),
        )
        try:
            ask_card(wish, maker=who.pk, reason=form.cleaned_data["reason"], now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("You asked for a card. We tell you when it is there."))
            return redirect("cards")
    status = REFUSED if form.errors else 200
    return render(request, "customer/card_form.html", {"form": form}, status=status)


@require_POST
@customer_page
def activate(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Activate a card once a code is given, and show its number this once."""
    step_up = typed_step_up(request, what="activate")
    try:
        made, number = activate_card(
            caller(request), card_id=card_id, step_up=step_up, now=clock.now()
        )
    except (StepUpRequired, WrongStepUpCode) as error:
        return _code_page(request, card_id, error, title=_("Activate the card"))
    except DomainError as error:
        return _back(request, card_id, error)
    context = {"card": made, "number": shown_card_number(number)}
    return render(request, "customer/card_activated.html", context)


@require_POST
@customer_page
def freeze(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Freeze a card."""
    return _done(
        request,
        card_id,
        lambda: freeze_card(caller(request), card_id=card_id, now=clock.now()),
        _("The card is frozen: it pays nothing until you unfreeze it."),
    )


@require_POST
@customer_page
def unfreeze(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Unfreeze a card once a code is given."""
    step_up = typed_step_up(request, what="unfreeze")
    try:
        return _done(
            request,
            card_id,
            lambda: unfreeze_card(
                caller(request), card_id=card_id, step_up=step_up, now=clock.now()
            ),
            _("The card pays again."),
        )
    except (StepUpRequired, WrongStepUpCode) as error:
        return _code_page(request, card_id, error, title=_("Unfreeze the card"))


def _done(
    request: HttpRequest, card_id: UUID, change: Callable[[], Card], words: str
) -> HttpResponse:
    """Change a card, say so or why not, and go back to it.

    Raises:
        StepUpRequired, WrongStepUpCode, UnknownCard
    """
    try:
        change()
    except (StepUpRequired, WrongStepUpCode):
        raise
    except DomainError as error:
        return _back(request, card_id, error)
    messages.success(request, words)
    return redirect("card", card_id=card_id)


def _back(request: HttpRequest, card_id: UUID, error: DomainError) -> HttpResponse:
    if error.http_status == NOT_FOUND:
        raise error
    messages.error(request, error.message)
    return redirect("card", card_id=card_id)


def _code_page(
    request: HttpRequest, card_id: UUID, error: StepUpRequired | WrongStepUpCode, *, title: str
) -> HttpResponse:
    context = {
        "title": title,
        "view": _view(request, card_id),
        "code_field": code_field(request, error),
    }
    return render(request, "customer/card_code.html", context, status=REFUSED)


def _page(
    request: HttpRequest,
    view: CardView,
    form: CardLimitsForm,
    *,
    code: CodeField | None = None,
    status: int = 200,
) -> HttpResponse:
    listing = f"payments of card {view.card.pk}"
    cursor = request.GET.get("before")
    try:
        after = read_cursor(cursor, listing=listing) if cursor else None
    except InvalidCursor as error:
        raise Http404 from error
    found = payments_shown(
        person(request).pk, card_id=view.card.pk, after=after, limit=PAGE + 1, now=clock.now()
    )
    shown = found[:PAGE]
    last = shown[-1].payment if len(found) > PAGE else None
    context = {
        "view": view,
        "form": form,
        "is_changeable": view.state in _CHANGEABLE,
        "is_off": view.state in {CardState.BLOCKED, CardState.EXPIRED},
        "payments": shown,
        "older": last and cursor_for(listing, position(last, by="asked_at")),
        "is_newest": after is None,
        "code_field": code,
    }
    return render(request, "customer/card.html", context, status=status)


def _view(request: HttpRequest, card_id: UUID) -> CardView:
    return card_shown(person(request).pk, card_id=card_id, now=clock.now())


def _asked(pk: int) -> list[dict[str, Any]]:
    return [
        {
            "kind": CardKind(asked.payload["kind"]).label,
            "account": int(asked.payload["account"]),
            "at": asked.asked_at,
        }
        for asked in cards_asked_by(pk)
    ]
