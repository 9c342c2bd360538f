"""A bank for the API to serve: people with accounts and a history, and many others to pay.

Run as a program, once, it opens them.
"""

from typing import Final

import django

from accounts.numbers import account_number

PEOPLE: Final = 16
ACCOUNTS_EACH: Final = 4
PAYEES: Final = 8_000
HISTORY: Final = 60
PASSWORD: Final = "thirty horses cross the river"  # noqa: S105  # of nobody

NUMBERS: Final = [
    [
        account_number(branch=100, serial=1 + person * ACCOUNTS_EACH + which)
        for which in range(ACCOUNTS_EACH)
    ]
    for person in range(PEOPLE)
]
PAYEE_NUMBERS: Final = [
    account_number(branch=100, serial=1 + PEOPLE * ACCOUNTS_EACH + which) for which in range(PAYEES)
]


def email_of(person: int) -> str:
    """Return the address by which a person logs in."""
    return f"person{person}@example.org"


def main() -> None:
    """Open the accounts; people have ten million rupees in each of theirs, and 60 entries."""
    from django.contrib.auth.hashers import make_password
    from django.utils import timezone

    from accounts.models import Account, Branch, Holding, Product, Rights, Role
    from accounts.services import add_person

    secret = make_password(PASSWORD)
    people = [
        add_person(
            email=email_of(person),
            full_name=f"Person {person}",
            role=Role.CUSTOMER,
            password_hash=secret,
            external_reference=None,
        )
        for person in range(PEOPLE + 1)
    ]
    branch, _is_new = Branch.objects.get_or_create(number=100, defaults={"code": "HO"})
    for user, numbers in zip(people, [*NUMBERS, PAYEE_NUMBERS], strict=True):
        _open_accounts(user.pk, numbers)
        Account.objects.bulk_create(
            Account(
                number=number,
                branch=branch,
                product=Product.CURRENT,
                currency="INR",
                opened_at=timezone.now(),
            )
            for number in numbers
        )
        Holding.objects.bulk_create(
            Holding(account_id=number, user=user, rights=Rights.OWNER) for number in numbers
        )


def _open_accounts(user: int, numbers: list[int]) -> None:
    from django.db import transaction

    from core.clock import bank_day, now
    from core.money import Money
    from transactions.chart import Place, open_chart
    from transactions.ledger.accounts import Holder, Opening, Purpose, open_accounts, set_holders
    from transactions.ledger.posting import (
        BANK_CLIENT,
        Channel,
        Kind,
        Order,
        Transfer,
        post_batch,
    )

    vault = open_chart(branch=100, currency="INR").number(Place.VAULT)
    openings = [Opening(number=n, currency="INR", purpose=Purpose.CUSTOMER) for n in numbers]
    holders = [Holder(account=n, user=user, rights="owner") for n in numbers]
    money = Money(1_000_000_000, "INR")
    deposits = [Transfer(vault, number, money, Kind.DEPOSIT) for number in numbers]
    history = [Transfer(numbers[0], numbers[1], Money(100, "INR"))] * HISTORY
    order = Order(client=BANK_CLIENT, channel=Channel.BANK, day=bank_day(now()), key=None)
    with transaction.atomic():
        open_accounts(openings, client=BANK_CLIENT)
        set_holders(holders, client=BANK_CLIENT)
        post_batch([*deposits, *history], order=order)


if __name__ == "__main__":
    django.setup()
    main()
