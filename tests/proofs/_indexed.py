"""Look up what the bank looks up, among as many rows as wanted, and tell by which index.

The services and selectors themselves are called; PostgreSQL tells the plan of whatever they run.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db import connection
from psycopg.errors import Diagnostic

from accounts.models import Product
from accounts.search import people_found, person_with_email
from core import clock
from core.db.sql import queries
from loans.applying import applications_of
from loans.showing import loans_of
from transactions.account_desk import account_governed
from transactions.ledger.reads import EntryFilter, balances, entries
from transactions.products.changing import accounts_affected
from transactions.products.models import ProductTerms
from transactions.products.terms import accounts_under

_PERSON: Final = 777
_ACCOUNT: Final = 100_000_000_001
_SQL: Final = queries(Path(__file__).parent / "sql" / "indexes.sql")


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """Something the bank looks for, and a part of the name of the index that is to serve it."""

    what: str
    work: Callable[[], object]
    index: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """By which indexes a look-up went, which tables it read whole, and how long it took."""

    look_up: LookUp
    indexes: frozenset[str]
    read_whole: frozenset[str]
    milliseconds: float

    @property
    def failure(self) -> str | None:
        """Say what is wrong; None: an index serves."""
        if self.read_whole:
            return f"{self.look_up.what}: {', '.join(self.read_whole)} is read whole"
        if not any(self.look_up.index in name for name in self.indexes):
            return f"{self.look_up.what}: by {sorted(self.indexes)}, not {self.look_up.index}"
        return None


def fill(superuser: psycopg.Connection, *, rows: int) -> None:
    """Fill an empty bank, and let its sessions tell their plans; the connection is autocommit."""
    cursor = psycopg.ClientCursor(superuser)
    for name in ("people", "accounts", "transfers", "loans"):
        cursor.execute(_SQL[name], {"rows": rows})
    for name in ("vacuum_people", "vacuum_accounts", "vacuum_ledger", "vacuum_loans", "tell"):
        cursor.execute(_SQL[name])


def look_ups() -> list[LookUp]:
    """Return what is looked up."""
    now = clock.now()
    month = EntryFilter(since=now, until=now + timedelta(days=30), kind="card")
    savings = ProductTerms(product=Product.SAVINGS, currency="INR")
    return [
        LookUp(
            what="account by number",
            work=lambda: account_governed(_ACCOUNT),
            index="accounts_account_pkey",
        ),
        LookUp(
            what="account by number, its balance",
            work=lambda: balances([_ACCOUNT]),
            index="account_pkey",
        ),
        LookUp(
            what="account by type, counted",
            work=lambda: accounts_affected(Product.SAVINGS, "INR"),
            index="account_by_product",
        ),
        LookUp(
            what="account by type, all of them",
            work=lambda: list(accounts_under(savings).values_list("number", flat=True)),
            index="account_by_product",
        ),
        LookUp(
            what="person by e-mail",
            work=lambda: person_with_email("Person777@example.org"),
            index="email",
        ),
        LookUp(
            what="person by the beginning of an e-mail",
            work=lambda: people_found("person777@", after=None, limit=50),
            index="user_by_beginning_of_email",
        ),
        LookUp(
            what="person by the end of a telephone number",
            work=lambda: people_found("6153063", after=None, limit=50),
            index="user_by_end_of_phone",
        ),
        LookUp(
            what="transaction by account, type and date",
            work=lambda: entries(_ACCOUNT, wanted=month),
            index="_debit_id_idx",
        ),
        LookUp(
            what="loan application by person and status",
            work=lambda: applications_of(_PERSON),
            index="applicant_id",
        ),
        LookUp(
            what="loan by customer, type and status",
            work=lambda: loans_of(_PERSON, now=now),
            index="borrower_id",
        ),
    ]


def looked_up(look_up: LookUp) -> Found:
    """Look something up, and return how it was found."""
    said: list[str] = []

    def listen(diagnostic: Diagnostic) -> None:
        said.append(diagnostic.message_primary or "")

    large = _large_tables()
    raw = connection.connection
    raw.add_notice_handler(listen)
    try:
        look_up.work()
    finally:
        raw.remove_notice_handler(listen)
    plans = [text for text in said if "plan:" in text]
    steps = [step for text in plans for step in _steps(json.loads(text[text.index("{") :])["Plan"])]
    return Found(
        look_up=look_up,
        indexes=frozenset(step["Index Name"] for step in steps if "Index Name" in step),
        read_whole=frozenset(
            step["Relation Name"]
            for step in steps
            if step["Node Type"] == "Seq Scan" and step["Relation Name"] in large
        ),
        milliseconds=sum(float(text.split()[1]) for text in plans),
    )


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _steps(child)


def _large_tables() -> set[str]:
    """Return the tables that nobody may read whole: partitions without rows are none."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["large_tables"])
        return {name for (name,) in cursor.fetchall()}
