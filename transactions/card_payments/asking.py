"""Cards that are asked for: by customers for themselves, by admins for them; an admin approves.

A debit card pays with what is in its account. A credit card pays with what the bank lends on its
account: the account's overdraft limit is the credit line, so it needs one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.cards.governing import NewCard, issue_card
from accounts.models import (
    Account,
    Approval,
    ApprovalState,
    Card,
    CardKind,
    CardLimit,
    CardState,
    CardTier,
    User,
)
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from transactions.account_desk import check_customer
from transactions.ledger.accounts import Status
from transactions.ledger.codes import Code, Refused
from transactions.limits.changing import limits_seen_by
from transactions.policy import step_up_amount

ISSUE_CARD: Final = "transactions.issue_card"
MOST_CARDS: Final = 5
"""How many cards a person has for one account, those included that are asked for."""
_PERCENT: Final = 100
# What a card pays at once at first, in percent of an amount that is large; ten times that a month.
_AT_ONCE: Final = {CardTier.JUNIOR: 5, CardTier.CLASSIC: 50, CardTier.GOLD: 200}
_IN_A_DAY: Final = 2
_IN_A_MONTH: Final = 10


class TooManyCards(DomainError):
    """A person has as many cards for an account as anybody may."""

    code = "too_many_cards"
    http_status = 409


class NoCreditLine(DomainError):
    """A credit card's account may not owe anything."""

    code = "no_credit_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRequest:
    """A wish for a card, for a person who holds the account."""

    person: User
    account: int
    kind: CardKind
    tier: CardTier


def ask_card(request: CardRequest, *, maker: int, reason: str, now: datetime) -> Approval:
    """Ask that a card is issued, once an admin approves; the maker may be the person.

    While nobody has decided, the same asked again answers with the first request.

    Raises:
        NotACustomer
        Refused: the person has no such account, or it is not open.
        NoCreditLine, TooManyCards
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown: the account's branch does not answer.
    """
    _check(request, now=now)
    with transaction.atomic():
        # Two requests at once take turns, so that there are never too many cards.
        User.objects.select_for_update(no_key=True).get(pk=request.person.pk)
        return _asked_once(request, maker=maker, reason=reason, now=now)


def _asked_once(request: CardRequest, *, maker: int, reason: str, now: datetime) -> Approval:
    payload = {
        "account": str(request.account),
        "user_id": str(request.person.number),
        "person": request.person.pk,
        "kind": str(request.kind),
        "tier": str(request.tier),
    }
    waiting = _waiting(request)
    known = waiting.filter(payload=payload).first()
    if known is not None:
        return known
    if _cards(request, now) + waiting.count() >= MOST_CARDS:
        message = _("There are %(most)s cards for this account; have one blocked first.") % {
            "most": MOST_CARDS
        }
        raise TooManyCards(message)
    return ask_approval(maker=maker, action=ISSUE_CARD, payload=payload, reason=reason)


def cards_asked_by(person: int) -> list[Approval]:
    """Return the requests for cards of a person's that nobody has decided about, newest first."""
    return list(
        Approval.objects.filter(
            action=ISSUE_CARD, state=ApprovalState.WAITING, payload__person=person
        )[:MOST_CARDS]
    )


def first_limits(tier: CardTier, currency: str) -> dict[CardLimit, int]:
    """Return what a new card may pay, in minor units of a currency."""
    at_once = step_up_amount(currency).minor * _AT_ONCE[tier] // _PERCENT
    return {
        CardLimit.PAYMENT: at_once,
        CardLimit.DAILY: at_once * _IN_A_DAY,
        CardLimit.MONTHLY: at_once * _IN_A_MONTH,
    }


@approvable(ISSUE_CARD)
def _issue(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:  # noqa: ARG001  # approvals pass them
    request = CardRequest(
        person=User.objects.get(pk=payload["person"]),
        account=int(payload["account"]),
        kind=CardKind(payload["kind"]),
        tier=CardTier(payload["tier"]),
    )
    now = clock.now()
    _check(request, now=now)
    currency = Account.objects.get(pk=request.account).currency
    new = NewCard(
        person=request.person.pk,
        account=request.account,
        kind=request.kind,
        tier=request.tier,
        limits=first_limits(request.tier, currency),
        reference=f"approval:{payload['approval']}",
    )
    return {"card": str(issue_card(new, now=now).pk)}


def _check(request: CardRequest, *, now: datetime) -> None:
    """Check that a person can have such a card, by the word of the account's branch."""
    check_customer(request.person)
    limits = limits_seen_by(request.person.pk, number=request.account, now=now).limits
    if limits.status == Status.FROZEN:
        raise Refused(Code.DEBIT_ACCOUNT_FROZEN)
    if limits.status != Status.OPEN:
        raise Refused(Code.DEBIT_ACCOUNT_CLOSED)
    if request.kind == CardKind.CREDIT and not limits.overdraft_limit:
        message = _("A credit card needs an account that may owe something; ask for that first.")
        raise NoCreditLine(message, field="kind")


def _waiting(request: CardRequest) -> QuerySet[Approval]:
    return Approval.objects.filter(
        action=ISSUE_CARD,
        state__in=[ApprovalState.WAITING, ApprovalState.APPROVED],
        payload__person=request.person.pk,
        payload__account=str(request.account),
    )


def _cards(request: CardRequest, now: datetime) -> int:
    """Count a person's cards for an account that pay, or will."""
    mine = Card.objects.filter(person=request.person, account=request.account)
    gone = {CardState.BLOCKED, CardState.EXPIRED}
    return sum(card.state_on(bank_day(now)) not in gone for card in mine.defer("number_digest"))
