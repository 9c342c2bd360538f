"""Forms of payments as they are shown and read: with what a person has to choose from."""

from typing import Final, TypeVar

from django.http import HttpRequest

from core import clock
from portals.customer.drafts import whose
from portals.customer.forms import PaymentForm
from portals.customer.page import person
from transactions.payments.offering import PaymentOffer, payment_offer

Form = TypeVar("Form", bound=PaymentForm)
FIND: Final = "find_payee"
"""The button that looks for payees and sends nothing."""


def form_to_fill(request: HttpRequest, kind: type[Form], typed: dict[str, str]) -> Form:
    """Return a form with what is typed already, and no word on what is not."""
    known = {name: text for name, text in typed.items() if text and name != "whose"}
    return kind(initial=known, offer=_offer(request, typed), whose=whose(request))


def form_sent(request: HttpRequest, kind: type[Form], typed: dict[str, str]) -> Form:
    """Return a form with what is typed, to be checked."""
    return kind(typed, offer=_offer(request, typed), whose=whose(request))


def _offer(request: HttpRequest, typed: dict[str, str]) -> PaymentOffer:
    return payment_offer(
        person(request).pk,
        sought=typed.get("find", ""),
        chosen=typed.get("payee", ""),
        now=clock.now(),
    )
