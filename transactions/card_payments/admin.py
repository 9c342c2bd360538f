"""Cards in the Django admin: looked at, asked for, blocked; and what they paid."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access_log import note_accounts_viewed
from accounts.admin.asking import Asking
from accounts.admin.callers import caller_in_admin
from accounts.admin.forms import ReasonForm
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.cards.governing import block_card
from accounts.models import Card, CardKind, CardState, CardTier, User
from accounts.numbers import parse_account_number, parse_user_id
from accounts.selectors import person_numbered
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from transactions.card_payments.asking import CardRequest, ask_card
from transactions.card_payments.models import CardPayment

GOVERN: Final = "accounts.govern_card"


class NewCardForm(ReasonForm):
    """A card for a customer."""

    user_id = forms.CharField(
        label=gettext_lazy("Person"), help_text=gettext_lazy("User ID, 11 digits.")
    )
    account = forms.CharField(label=gettext_lazy("Account"), help_text=gettext_lazy("12 digits."))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CardKind.choices)
    tier = forms.ChoiceField(
        label=gettext_lazy("How far it reaches"),
        choices=CardTier.choices,
        initial=CardTier.CLASSIC,
    )
    field_order = ("user_id", "account", "kind", "tier", "reason")

    def clean_user_id(self) -> User:
        """Look up the person."""
        try:
            return person_numbered(parse_user_id(self.cleaned_data["user_id"]))
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def clean_account(self) -> int:
        """Read the account's number."""
        try:
            return parse_account_number(self.cleaned_data["account"])
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error


@admin.register(Card)
class CardAdmin(ReadOnlyAdmin, NotedAdmin):
    """Cards: whoever adds one asks for it, and who blocks one says why; the person is told."""

    list_display = ("number", "person", "account", "kind", "tier", "now", "expires_on", "issued_at")
    list_filter = ("state", "kind", "tier")
    list_select_related: ClassVar = ("person", "account")
    search_fields = ("account__number", "person__full_name", "last_four")
    fields = (
        "number",
        "person",
        "account",
        "kind",
        "tier",
        "now",
        "expires_on",
        "payment_limit",
        "daily_limit",
        "monthly_limit",
        "issued_at",
    )
    change_form_template = "admin/card.html"

    one = "card"
    many = "list of cards"

    @admin.display(description=gettext_lazy("number"), ordering="last_four")
    def number(self, card: Card) -> str:
        """Show how the number ends."""
        return str(card)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def now(self, card: Card) -> str:
        """Show the state today."""
        return str(card.state_on(bank_day(clock.now())).label)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Card]:
        """Return all cards, without what their numbers are known by."""
        return super().get_queryset(request).defer("number_digest")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those ask for cards who may govern them."""
        return bool(request.user.has_perm(GOVERN))

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of the button first."""
        block = self.admin_site.admin_view(self.block)
        return [path("<uuid:pk>/block/", block, name="card_block"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for a card, or show one with the button that blocks it."""
        if object_id is None:
            return self._ask(request)
        found = self.get_object(request, object_id)
        is_blockable = found is not None and found.state != CardState.BLOCKED
        may_block = is_blockable and request.user.has_perm(GOVERN)
        context = {**(extra_context or {}), "card_to_block": object_id if may_block else None}
        return super().changeform_view(request, object_id, form_url, context)

    def block(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Block a card, with a reason."""
        if not request.user.has_perm(GOVERN):
            raise PermissionDenied
        if not Card.objects.filter(pk=pk).exists():
            raise Http404
        return Asking(
            title=_("Block the card for good"),
            button=_("Block"),
            form=ReasonForm(request.POST or None),
            work=lambda asked: block_card(
                caller_in_admin(request), card_id=pk, reason=asked["reason"], now=clock.now()
            ),
            done=_("The card is blocked."),
            back=reverse("admin:accounts_card_change", args=[pk]),
        ).answer(request, self)

    def note_look(self, request: HttpRequest, rows: Collection[Card], *, what: str) -> None:
        """Note the look for all who hold the accounts."""
        numbers = [row.account_id for row in rows]
        note_accounts_viewed(viewer=int(request.user.pk or 0), numbers=numbers, what=what)

    def _ask(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return Asking(
            title=_("Ask for a card"),
            button=_("Ask for it"),
            form=NewCardForm(request.POST or None),
            work=lambda asked: _asked(request, asked),
            done=_("Somebody else must approve it now."),
            back=reverse("admin:accounts_card_changelist"),
        ).answer(request, self)


@admin.register(CardPayment)
class CardPaymentAdmin(ReadOnlyAdmin, NotedAdmin):
    """What cards paid, set aside, and did not pay, to look at."""

    list_display = ("asked_at", "card", "merchant", "asked", "got", "state", "reason")
    list_filter = ("state", "asked_at")
    list_select_related: ClassVar = ("card",)
    search_fields = ("merchant", "card__last_four")
    fields = (
        "asked_at",
        "card",
        "merchant",
        "asked",
        "got",
        "state",
        "reason",
        "expires_at",
        "ended_at",
        "hold_id",
        "transfer_id",
    )

    one = "card payment"
    many = "list of card payments"

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def asked(self, payment: CardPayment) -> str:
        """Show what was asked for."""
        return str(payment.money)

    @admin.display(description=gettext_lazy("paid"), ordering="captured")
    def got(self, payment: CardPayment) -> str:
        """Show what the merchant got."""
        return str(payment.paid)

    def note_look(self, request: HttpRequest, rows: Collection[CardPayment], *, what: str) -> None:
        """Note the look for all who hold the accounts."""
        numbers = [row.card.account_id for row in rows]
        note_accounts_viewed(viewer=int(request.user.pk or 0), numbers=numbers, what=what)


def _asked(request: HttpRequest, asked: Mapping[str, Any]) -> object:
    wish = CardRequest(
        person=asked["user_id"],
        account=asked["account"],
        kind=CardKind(asked["kind"]),
        tier=CardTier(asked["tier"]),
    )
    return ask_card(
        wish, maker=caller_in_admin(request).pk, reason=asked["reason"], now=clock.now()
    )
