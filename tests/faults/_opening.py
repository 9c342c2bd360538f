"""Join the branches to the bank and open the workload's accounts. Run as a program, once.

The input is JSON: each branch's addresses for the owner and for the application, by its code.
"""

import json
import sys
from typing import Final

import django

from accounts.numbers import account_number
from bankproject.runtime.postgres import BankUrls
from tests.faults._nodes import BRANCHES

TOTAL: Final = 100
CLIENTS: Final = range(1, 9)
_SERIALS: Final = {"default": range(1, 4), "MUM": range(1, 4), "DEL": range(1, 3)}

HOMES: Final = {
    account_number(branch=BRANCHES[alias], serial=serial): alias
    for alias, serials in _SERIALS.items()
    for serial in serials
}


def main() -> None:
    """Open eight accounts over the nodes, with 100 among them, which every client may use."""
    from transactions.chart import Place, open_chart
    from transactions.ledger.accounts import Opening, Purpose, open_account, set_holder
    from transactions.ledger.posting import BANK_CLIENT

    _join(json.load(sys.stdin))
    for alias, number in BRANCHES.items():
        vault = open_chart(branch=number, currency="INR", using=alias).number(Place.VAULT)
        for account in (each for each, home in HOMES.items() if home == alias):
            opening = Opening(number=account, currency="INR", purpose=Purpose.CUSTOMER)
            open_account(opening, client=BANK_CLIENT, using=alias)
            for client in CLIENTS:
                set_holder(
                    account, user=client, rights="authorised", client=BANK_CLIENT, using=alias
                )
            _fund(account, vault=vault, node=alias)


def _join(urls: dict[str, tuple[str, str]]) -> None:
    from tests.branches import join
    from transactions.branches import registry

    for code, (owner, app) in urls.items():
        addresses = BankUrls(owner=owner, app=app, readonly=app, replica=app, backup=app)
        join(code, number=BRANCHES[code], name=code.title(), urls=addresses)
    registry.refresh()


def _fund(account: int, *, vault: int, node: str) -> None:
    from core.clock import bank_day, now
    from core.money import Money
    from transactions.ledger.posting import BANK_CLIENT, Channel, Kind, Order, Transfer, post

    place = list(HOMES).index(account)
    share = TOTAL // len(HOMES) + (place < TOTAL % len(HOMES))
    order = Order(client=BANK_CLIENT, channel=Channel.BANK, day=bank_day(now()), key=None)
    post(Transfer(vault, account, Money(share, "INR"), Kind.DEPOSIT), order=order, using=node)


if __name__ == "__main__":
    django.setup()
    main()
