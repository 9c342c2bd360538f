"""Days of a bank that are over, with what was recorded on them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
from django.db import connections

from accounts.models import Branch, Product, User
from accounts.services import head_office
from core.money import Money
from tests.factories import order
from transactions.branches.registry import branch_number_of, node_of
from transactions.chart import Place, open_chart
from transactions.governing import AccountRequest, open_customer_account
from transactions.ledger.accruals import Accrual
from transactions.ledger.connection import fetch_one
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, post
from transactions.products.models import ProductTerms

INDIA = ZoneInfo("Asia/Kolkata")
# The months of a leap year's February, and of those around it.
MONTHS = (date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1))
LAST = date(2024, 2, 29)
AFTER = datetime(2024, 3, 1, 1, tzinfo=INDIA)


def open_months(node: str = "default") -> None:
    """Make room in the journal of a node for the months of the tests."""
    for month in MONTHS:
        fetch_one("add_partition", {"month": month}, node)


def record_at(owner_url: str, at: datetime) -> None:
    """Let a node record, from now on, as if this were the instant ``at``."""
    behind = (datetime.now(UTC) - at).total_seconds()
    with psycopg.connect(owner_url) as owner:
        owner.execute(
            "CREATE OR REPLACE FUNCTION ledger.tick_v1() RETURNS bigint"
            " LANGUAGE sql VOLATILE PARALLEL SAFE RETURN"
            f" ((date_part('epoch', clock_timestamp()) - {behind:.6f}) * 4096000)::bigint"
        )


def noon(day: date) -> datetime:
    """Return noon of a day in India."""
    return datetime.combine(day, time(12), INDIA)


def terms(
    *, rate_ppm: int = 35_000, fee: int = 0, since: date = date(2024, 1, 1), currency: str = "INR"
) -> ProductTerms:
    """Let savings accounts earn and cost something."""
    return ProductTerms.objects.create(
        product=Product.SAVINGS,
        currency=currency,
        effective_from=since,
        rate_ppm=rate_ppm,
        monthly_fee=fee,
    )


def savings(owner: User, *, branch: str = "", currency: str = "INR") -> int:
    """Open a savings account on New Year's Day."""
    request = AccountRequest(
        owner=owner,
        branch=Branch.objects.get(code=branch) if branch else head_office(),
        product=Product.SAVINGS,
        currency=currency,
        client=BANK_CLIENT,
        key=str(uuid4()),
    )
    return open_customer_account(request, now=noon(date(2024, 1, 1))).number


def put_in(account: int, minor: int, *, currency: str = "INR") -> None:
    """Pay cash into an account; less than nothing is paid out, without a look at limits."""
    node = node_of(account)
    bank = open_chart(branch=branch_number_of(node), currency=currency, using=node)
    vault = bank.number(Place.VAULT)
    sides = (vault, account) if minor > 0 else (account, vault)
    post(Transfer(*sides, Money(abs(minor), currency), Kind.DEPOSIT), order=order(), using=node)


def accruals(account: int, *, node: str = "default") -> list[Accrual]:
    """Return what an account has earned on a node, day by day."""
    rows = asked(
        "SELECT day, account, balance, rate_ppm FROM ledger.accrual WHERE account = %s ORDER BY 1",
        [account],
        node=node,
    )
    return [Accrual(*row) for row in rows]


def interest_of(account: int, *, node: str = "default") -> Mapping[str, int]:
    """Return the interest that was posted to an account on a node, by month."""
    rows = asked(
        "SELECT split_part(reference, '/', 2), amount FROM ledger.journal"
        " WHERE credit = %s AND kind = 'interest' ORDER BY id",
        [account],
        node=node,
    )
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def asked(query: str, parameters: list[Any], *, node: str = "default") -> list[Any]:
    """Return what a node answers."""
    with connections[node].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
