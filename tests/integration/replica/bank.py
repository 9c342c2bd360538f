"""What the tests of the replica are about: accounts on every node, and their copies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

from accounts.numbers import account_number
from tests.branches import DEL, MUM
from tests.factories import inr, order
from transactions.chart import Place, open_chart
from transactions.ledger import reads
from transactions.ledger.accounts import Opening, Purpose, open_account, set_holder
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, post

NODES = {"default": 100, MUM: 201, DEL: 202}


def on_replica(query: str, *parameters: int | str) -> list[tuple[Any, ...]]:
    with connections["replica"].cursor() as cursor:
        cursor.execute(query, parameters or None)
        return list(cursor.fetchall())


def customer(node: str, *, serial: int = 1, balance: int = 10_000, user: int = 7) -> int:
    """Open an account with money on a node, and return its number."""
    chart = open_chart(branch=NODES[node], currency="INR", using=node)
    number = account_number(branch=NODES[node], serial=serial)
    opening = Opening(number=number, currency="INR", purpose=Purpose.CUSTOMER)
    open_account(opening, client=BANK_CLIENT, using=node)
    set_holder(number, user=user, rights="owner", client=BANK_CLIENT, using=node)
    deposit = Transfer(
        chart.number(Place.VAULT), number, inr(balance), Kind.DEPOSIT, reference=f"first {serial}"
    )
    post(deposit, order=order(), using=node)
    return number


def balances(using: str, numbers: Sequence[int]) -> dict[int, int]:
    return {found.number: found.balance for found in reads.balances(numbers, using=using)}


@contextmanager
def paused(superuser_url: str, *nodes: str) -> Iterator[None]:
    """Keep the replica from hearing of nodes."""
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        _switch(superuser, "DISABLE", nodes)
        yield
        _switch(superuser, "ENABLE", nodes)


@contextmanager
def stalled(superuser_url: str) -> Iterator[None]:
    """Let what the replica hears of accounts wait, while it can be read."""
    with psycopg.connect(superuser_url) as superuser:
        superuser.execute("LOCK TABLE ledger.account IN EXCLUSIVE MODE")
        yield


def _switch(superuser: psycopg.Connection, word: str, nodes: Sequence[str]) -> None:
    for node in nodes:
        name = sql.Identifier(f"bank_{node}")
        superuser.execute(sql.SQL("ALTER SUBSCRIPTION {} {}").format(name, sql.SQL(word)))
