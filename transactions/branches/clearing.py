"""Clearing accounts: what a node owes another one, or is owed, for transfers between the two."""

from collections.abc import Iterable
from functools import cache
from typing import Final

import psycopg
from django.db import OperationalError, connections

from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import branch_number_of
from transactions.chart import BankAccounts, Place
from transactions.ledger.accounts import CREDIT_NORMAL, Opening, Purpose, open_account
from transactions.ledger.posting import BANK_CLIENT

_opened: Final[set[tuple[str, object, int]]] = set()


def clearing_account(node: str, *, other: str, currency: str) -> int:
    """Return the number of a node's clearing account with another node."""
    return _number(branch_number_of(node), branch_number_of(other), currency)


def open_clearing(one: str, other: str, *, currencies: Iterable[str]) -> None:
    """Open the clearing accounts of two nodes with each other, where this process has not yet.

    Summed accounts, so that no transfer waits for another one of the same pair.

    Raises:
        BranchDown: one of the two does not answer.
    """
    for currency in currencies:
        for node, opposite in ((one, other), (other, one)):
            number = clearing_account(node, other=opposite, currency=currency)
            place = (node, connections[node].settings_dict["NAME"], number)
            if place not in _opened:
                opening = Opening(
                    number=number,
                    currency=currency,
                    purpose=Purpose.CLEARING,
                    side=CREDIT_NORMAL,
                    running=False,
                    overdraft_limit=None,
                )
                try:
                    open_account(opening, client=BANK_CLIENT, using=node)
                except (OperationalError, psycopg.OperationalError) as error:
                    connections[node].close()
                    raise BranchDown(node) from error
                _opened.add(place)


@cache
def _number(branch: int, other: int, currency: str) -> int:
    return BankAccounts(branch, currency).number(Place.CLEARING_WITH, nth=other)
