"""A bank for the pages' benchmark: a person with several accounts, one of a long history.

Run as a program, once, it opens them and prints what a browser of the person's needs, as JSON.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final

import django

from accounts.numbers import account_number

MOVEMENTS: Final = 100_000
_AT_ONCE: Final = 10_000
_ACCOUNTS: Final = 4
_NUMBERS: Final = [account_number(branch=100, serial=1 + which) for which in range(_ACCOUNTS)]
_SHOP: Final = account_number(branch=100, serial=1 + _ACCOUNTS)
_DEEP: Final = 1_000 * 50
_DAYS: Final = 400


def main() -> None:
    """Open the accounts, let 100,000 movements happen on one of them, and log the person in."""
    from django.test import Client

    from accounts.models import Role
    from accounts.services import add_person

    names = {"asha": "Asha Rao", "shop": "Corner Shop"}
    asha, shop = (
        add_person(
            email=f"{name}@example.org",
            full_name=full_name,
            role=Role.CUSTOMER,
            password_hash="!",  # noqa: S106  # nobody logs in with one
            external_reference=None,
        )
        for name, full_name in names.items()
    )
    _open(asha, _NUMBERS)
    _open(shop, [_SHOP])
    _let_happen()
    browser = Client()
    browser.force_login(asha)
    print(
        json.dumps(
            {
                "number": _NUMBERS[0],
                "cookie": browser.cookies["sessionid"].value,
                "deep": _cursor(),
            }
        )
    )


def _open(person: Any, numbers: list[int]) -> None:
    from django.utils import timezone

    from accounts.models import Account, Branch, Holding, Product, Rights
    from transactions.ledger.accounts import Holder, Opening, Purpose, open_accounts, set_holders
    from transactions.ledger.posting import BANK_CLIENT

    openings = [Opening(number=one, currency="INR", purpose=Purpose.CUSTOMER) for one in numbers]
    open_accounts(openings, client=BANK_CLIENT)
    holders = [Holder(account=one, user=person.pk, rights="owner") for one in numbers]
    set_holders(holders, client=BANK_CLIENT)
    branch, _is_new = Branch.objects.get_or_create(number=100, defaults={"code": "HO"})
    Account.objects.bulk_create(
        Account(
            number=one,
            branch=branch,
            product=Product.CURRENT,
            currency="INR",
            opened_at=timezone.now(),
        )
        for one in numbers
    )
    Holding.objects.bulk_create(
        Holding(account_id=one, user=person, rights=Rights.OWNER) for one in numbers
    )


def _let_happen() -> None:
    """Post what happened in the last 400 days, the oldest first: in and out in turns."""
    from core.clock import bank_day, now
    from core.money import Money
    from transactions.chart import Place, open_chart
    from transactions.ledger.posting import (
        BANK_CLIENT,
        Channel,
        Kind,
        Order,
        Transfer,
        post_batch,
    )

    today = now()
    order = Order(client=BANK_CLIENT, channel=Channel.BANK, day=bank_day(today), key=None)
    vault = open_chart(branch=100, currency="INR").number(Place.VAULT)
    money = Money(1_000_000_000, "INR")
    deposits = [Transfer(vault, one, money, Kind.DEPOSIT) for one in [*_NUMBERS, _SHOP]]
    post_batch(deposits, order=order)

    def movement(which: int) -> Any:
        ways = (_NUMBERS[0], _SHOP) if which % 2 else (_SHOP, _NUMBERS[0])
        amount = Money(100 + which % 90_000, "INR")
        return Transfer(*ways, amount, memo=f"bill {which}", event_at=_instant(today, which))

    for first in range(0, MOVEMENTS, _AT_ONCE):
        post_batch([movement(which) for which in range(first, first + _AT_ONCE)], order=order)


def _instant(today: datetime, which: int) -> datetime:
    return today - timedelta(days=_DAYS) * ((MOVEMENTS - which) / MOVEMENTS)


def _cursor() -> str:
    """Return from where page 1,000 of the long history goes on."""
    from django.db import connection

    from transactions.cursors import cursor_after

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM ledger.journal WHERE %s IN (debit, credit) ORDER BY id DESC"
            " OFFSET %s LIMIT 1",
            [_NUMBERS[0], _DEEP - 1],
        )
        (last,) = cursor.fetchone()
    return cursor_after(_NUMBERS[0], last=last)


if __name__ == "__main__":
    django.setup()
    main()
