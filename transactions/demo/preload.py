"""Two accounts to try a new branch with."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.models import Account, Branch, Product, Role, User
from accounts.services import add_person
from core.clock import bank_day
from core.money import Money
from transactions.branches.registry import node_of
from transactions.chart import Place, open_chart
from transactions.demo.loading import PASSWORD
from transactions.governing import AccountRequest, open_customer_account
from transactions.ledger.posting import BANK_CLIENT, Channel, Kind, Order, Transfer, post

ALIASES: Final = ("1001", "1002")
BALANCE: Final = Money(100_000, "INR")


def preload_branch(branch: Branch, *, now: datetime) -> list[Account]:
    """Open two customers' accounts with money in them at an empty branch; else none.

    Safe to break off and to repeat. The customers can log in where the bank is a demo.
    """
    ours = [_reference(branch, alias) for alias in ALIASES]
    if Account.objects.filter(branch=branch).exclude(external_reference__in=ours).exists():
        return []
    return [_open(branch, alias, now=now) for alias in ALIASES]


def _reference(branch: Branch, alias: str) -> str:
    return f"preload:{branch.code}:{alias}"


def _open(branch: Branch, alias: str, *, now: datetime) -> Account:
    reference = _reference(branch, alias)
    request = AccountRequest(
        owner=_customer(branch, alias),
        branch=branch,
        product=Product.CURRENT,
        currency=BALANCE.currency,
        client=BANK_CLIENT,
        key=f"open:{reference}",
        name=alias,
        external_reference=reference,
    )
    account = open_customer_account(request, now=now)
    _deposit(account, key=reference, now=now)
    return account


def _customer(branch: Branch, alias: str) -> User:
    reference = _reference(branch, alias)
    known = User.objects.filter(external_reference=reference).first()
    return known or add_person(
        email=f"{alias}.{branch.code.lower()}@demo.example",
        full_name=f"{branch.name} {alias}",
        role=Role.CUSTOMER,
        password_hash=make_password(PASSWORD if settings.BANK_DEMO else None),
        external_reference=reference,
        branch=branch,
    )


def _deposit(account: Account, *, key: str, now: datetime) -> None:
    """Pay the money in, once: the key makes a second time harmless."""
    node = node_of(account.number)
    bank = open_chart(branch=account.branch.number, currency=BALANCE.currency, using=node)
    deposit = Transfer(bank.number(Place.VAULT), account.number, BALANCE, Kind.DEPOSIT)
    order = Order(client=BANK_CLIENT, channel=Channel.IMPORT, day=bank_day(now), key=key)
    post(deposit, order=order, using=node)
