"""Cash: paid in and taken out at the till or the machine of the branch where an account lives.

By the channel *teller* an admin books at the counter; by the channel *machine* customers serve
themselves, on their page or over the API, where the bank allows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.numbers import is_bank_account
from core.clock import bank_day
from core.errors import DomainError
from core.money import Money, currency_named
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import branch_number_of, node_of
from transactions.chart import BankAccounts, Place, open_chart
from transactions.ledger.cash import Booking, book_cash
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Kind, Order, Receipt, Transfer, post
from transactions.policy import check_key_limit

# From ₹50,000 a day on, a bank in India must see a tax number for cash, which no machine can; of
# other currencies about the same worth. Whole units, each way.
_DAILY_AT_MACHINE: Final = {
    "INR": 50_000,
    "CZK": 15_000,
    "EUR": 600,
    "USD": 600,
    "GBP": 500,
    "CHF": 500,
    "AED": 2_000,
    "SGD": 800,
    "JPY": 90_000,
    "KWD": 180,
    "BHD": 220,
}
# A booking of ₹10,00,000 or more must be reported, which is not one teller's work.
_AT_COUNTER_TO_MACHINE: Final = 20

CashChannel = Literal[Channel.MACHINE, Channel.TELLER]
CashKind = Literal[Kind.DEPOSIT, Kind.WITHDRAWAL]
_PLACES: Final[dict[CashChannel, Place]] = {
    Channel.MACHINE: Place.MACHINE,
    Channel.TELLER: Place.TILL,
}


class SelfServiceCashOff(DomainError):
    """Customers do not book cash themselves at this bank."""

    code = "self_service_cash_off"
    http_status = 403


class CounterLimitExceeded(DomainError):
    """An amount is more than a teller books."""

    code = "counter_limit_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRequest:
    """A wish to pay cash in to an account, or to take it out; the ``key`` makes it safe to repeat.

    ``user`` is the customer at the machine, or the teller.
    """

    user: int
    key: str
    channel: CashChannel
    account: int
    amount: Money
    memo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFilling:
    """A wish to bring cash from a branch's vault to its till or machine; ``key`` as ever."""

    user: int
    key: str
    node: str
    place: Literal[Place.TILL, Place.MACHINE]
    amount: Money


def deposit_cash(request: CashRequest, *, now: datetime) -> Receipt:
    """Pay cash in to an account.

    Raises:
        SelfServiceCashOff, CounterLimitExceeded
        Refused: with the reason; nothing was booked.
        BranchDown: the account's branch does not answer; nothing was booked.
        OutcomeUnknown: it fell silent meanwhile; the same request sent again tells.
        Busy: nothing was booked; the same request may be sent again.
    """
    return _book(request, Kind.DEPOSIT, now)


def withdraw_cash(request: CashRequest, *, now: datetime) -> Receipt:
    """Take cash out of an account; it counts against the account's daily limit of spending, too.

    Raises:
        SelfServiceCashOff, CounterLimitExceeded
        Refused: with the reason; nothing was booked.
        BranchDown: the account's branch does not answer; nothing was booked.
        OutcomeUnknown: it fell silent meanwhile; the same request sent again tells.
        Busy: nothing was booked; the same request may be sent again.
    """
    return _book(request, Kind.WITHDRAWAL, now)


def withdraw_as(caller: Caller, request: CashRequest, *, now: datetime) -> Receipt:
    """Take cash out for a caller of the API, as ``withdraw_cash`` does.

    Raises:
        KeyLimitExceeded: an API key may not take out so much.
        and what ``withdraw_cash`` raises
    """
    check_key_limit(caller, request.amount)
    return withdraw_cash(request, now=now)


def fill_with_cash(filling: CashFilling, *, now: datetime) -> Receipt:
    """Bring cash from the vault of a branch to its till or machine, which is opened if missing.

    Raises:
        Refused, Busy
    """
    currency = filling.amount.currency
    bank = open_chart(branch=branch_number_of(filling.node), currency=currency, using=filling.node)
    transfer = Transfer(
        bank.number(filling.place), bank.number(Place.VAULT), filling.amount, memo="Cash"
    )
    order = Order(client=filling.user, channel=Channel.TELLER, day=bank_day(now), key=filling.key)
    return post(transfer, order=order, using=filling.node)


def daily_at_machine(currency: str) -> Money:
    """Return what an account may pay in, and what it may take out, at machines in a day.

    Raises:
        UnknownCurrency: the bank keeps no accounts in it.
    """
    whole = _DAILY_AT_MACHINE[currency_named(currency).code]
    return Money(whole * 10 ** currency_named(currency).exponent, currency)


def most_at_counter(currency: str) -> Money:
    """Return the most that a teller books at once.

    Raises:
        UnknownCurrency: the bank keeps no accounts in it.
    """
    return Money(daily_at_machine(currency).minor * _AT_COUNTER_TO_MACHINE, currency)


def _book(request: CashRequest, kind: CashKind, now: datetime) -> Receipt:
    is_machine = request.channel is Channel.MACHINE
    if is_machine:
        _check_self_service()
    else:
        _check_counter_limit(request.amount)
    order = Order(
        client=request.user,
        channel=request.channel,
        day=bank_day(now),
        key=request.key,
        holder=request.user if is_machine else None,
    )
    with _naming_the_account():
        if is_bank_account(request.account):
            is_out = kind is Kind.WITHDRAWAL
            raise Refused(Code.UNKNOWN_DEBIT_ACCOUNT if is_out else Code.UNKNOWN_CREDIT_ACCOUNT)
        return follow_accounts(
            request.account, work=lambda: _book_where_it_lives(request, kind, order)
        )


def _book_where_it_lives(request: CashRequest, kind: CashKind, order: Order) -> Receipt:
    node = node_of(request.account)
    bank = BankAccounts(branch_number_of(node), request.amount.currency)
    most = daily_at_machine(request.amount.currency)
    booking = Booking(
        account=request.account,
        cash=bank.number(_PLACES[request.channel]),
        amount=request.amount,
        kind=kind,
        since=datetime.combine(order.day, time(), ZoneInfo(settings.BANK_TIME_ZONE)),
        most=most.minor if request.channel is Channel.MACHINE else None,
        memo=request.memo,
    )
    with silence_named(node):
        return book_cash(booking, order=order, using=node)


@contextmanager
def _naming_the_account() -> Iterator[None]:
    """Blame ``account``: the other side is the bank's, and nobody named it."""
    try:
        yield
    except Refused as refusal:
        if refusal.field in {"debit_account", "credit_account"}:
            refusal.field = "account"
        raise


def _check_self_service() -> None:
    if not settings.BANK_SELF_SERVICE_CASH:
        message = _("This bank takes and gives cash at the counter only.")
        raise SelfServiceCashOff(message)


def _check_counter_limit(amount: Money) -> None:
    most = most_at_counter(amount.currency)
    if amount.minor > most.minor:
        message = _("At the counter at most %(most)s are booked at once.") % {"most": most}
        raise CounterLimitExceeded(message, field="amount")
