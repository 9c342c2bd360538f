"""Cards of the tests: issued, activated, and what a bookshop asks of them."""

from datetime import date
from typing import Any
from uuid import uuid4

from accounts.callers import Caller
from accounts.cards.governing import (
    NewCard,
    activate_card,
    issue_card,
)
from accounts.models import Card, CardKind, CardLimit, CardTier, User
from tests.factories import inr, instant
from tests.integration.payments.conftest import confirmed
from transactions.card_payments.authorising import Authorisation
from transactions.ledger.reads import balances

# To come, so that no hold runs out meanwhile by the ledger's own clock.
NOW = instant(year=2031)
LIMITS = {CardLimit.PAYMENT: 50_000, CardLimit.DAILY: 80_000, CardLimit.MONTHLY: 120_000}


def caller(user: User) -> Caller:
    """Return a person by their session."""
    return Caller(pk=user.pk, role=user.role, scopes=None, via="session", credential="s")


def issued(user: User, account: int, kind: CardKind = CardKind.DEBIT) -> Card:
    """Issue a card of ₹500 at once, ₹800 a day and ₹1,200 a month."""
    new = NewCard(
        person=user.pk,
        account=account,
        kind=kind,
        tier=CardTier.CLASSIC,
        limits=LIMITS,
        reference=str(uuid4()),
    )
    return issue_card(new, now=NOW)


def activated(user: User, account: int) -> tuple[Card, str]:
    """Issue a card and activate it; return it with its number."""
    card = issued(user, account)
    return confirmed(
        lambda step_up: activate_card(caller(user), card_id=card.pk, step_up=step_up, now=NOW)
    )


def asking(number: str, minor: int, **changes: Any) -> Authorisation:
    """Return a bookshop's wish."""
    asked: dict[str, Any] = {
        "key": str(uuid4()),
        "card_number": number,
        "expires": date(NOW.year + 4, NOW.month, 1),
        "amount": inr(minor),
        "merchant": "Bookshop",
    }
    return Authorisation(**{**asked, **changes})


def funds(number: int) -> tuple[int, int]:
    """Return what an account has, and what of that is set aside."""
    (found,) = balances([number])
    return found.balance, found.held
