"""A bank in which everything that the ledger can do has been done once."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from bankproject.runtime.postgres import BankUrls
from tests.factories import account, bank_accounts, inr, order
from tests.servers import TestServer, worker_name
from transactions.chart import Place
from transactions.closing.posting import Monthly
from transactions.ledger.accounts import set_limits, set_payee_limit
from transactions.ledger.accruals import accrue, interest_due
from transactions.ledger.connection import fetch_one
from transactions.ledger.posting import (
    Kind,
    Transfer,
    capture,
    hold,
    post,
    post_batch,
    reverse,
)


@dataclass(frozen=True, kw_only=True)
class BusyBank:
    """What the tests name of it."""

    app_url: str
    owner_url: str
    superuser_url: str
    payer: int
    payee: int
    fees: int
    transfer: UUID


@pytest.fixture(scope="module")
def busy_bank(
    django_db_setup: None,  # noqa: ARG001  # the template must be there
    django_db_blocker: DjangoDbBlocker,
    server: TestServer,
) -> Iterator[BusyBank]:
    """Give the module a bank with a history, in a database of its own."""
    database = f"busy_{worker_name()}"
    usual = connection.settings_dict["NAME"]
    with server.copied(f"empty_{worker_name()}", database) as urls, django_db_blocker.unblock():
        # Else what is open goes on with the usual bank.
        connections.close_all()
        connection.settings_dict["NAME"] = database
        try:
            yield do_everything_once(urls, server.superuser_url(database))
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = usual


def do_everything_once(urls: BankUrls, superuser_url: str) -> BusyBank:
    payer, payee = account(balance=100_000, daily_limit=90_000), account(balance=500)
    fees = bank_accounts().number(Place.FEE_INCOME)
    first = post(Transfer(payer, payee, inr(100), reference="march"), order=order(client=7))
    post(Transfer(payer, fees, inr(30), kind=Kind.FEE), order=order())
    fold_settled(fees)
    post(Transfer(payer, fees, inr(20), kind=Kind.FEE), order=order())
    set_payee_limit(payer, payee=payee, daily_limit=50_000, client=0, reason="asked")
    linked = post_batch(
        [
            Transfer(payer, payee, inr(10), linked=True),
            Transfer(payee, payer, inr(5), memo="and back"),
            Transfer(payer, payee, inr(10**9)),
            Transfer(payer, payee, inr(1), reference="april"),
        ],
        order=order(client=7),
    )
    hold_and_reverse(payer, payee, first.transfer_id, linked.transfer_id(1))
    earn(payer)
    last = post(Transfer(payer, payee, inr(200)), order=order())
    set_limits(payee, overdraft_limit=1_000, daily_limit=None, client=0, reason="asked")
    return BusyBank(
        app_url=urls.app,
        owner_url=urls.owner,
        superuser_url=superuser_url,
        payer=payer,
        payee=payee,
        fees=fees,
        transfer=last.transfer_id,
    )


def earn(account: int) -> None:
    """Let an account earn on one day, and be paid for that."""
    day = date(2024, 2, 29)
    accrue(day, until=datetime.now(UTC), rates={account: 1_000_000}, late=())
    month = Monthly(kind=Kind.INTEREST, month=day.replace(day=1), last=day)
    dues = interest_due(first=day, last=day, prefix=month.prefix, after=0, limit=1)
    assert month.post(dues, node="default", now=datetime.now(UTC)) == {}


def fold_settled(account: int) -> None:
    """Fold until the account's legs are in; any transaction on the server may hold them back."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        fetch_one("fold", {}, "default")
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM ledger.folded WHERE account = %s", [account])
            if cursor.fetchone() is not None:
                return
        time.sleep(0.02)
    pytest.fail("nothing was folded in 30 seconds")


def hold_and_reverse(payer: int, payee: int, single: UUID, group: UUID) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    for minor in (700, 800):
        held = hold(
            account=payer, payee=payee, amount=inr(minor), expires_at=later, order=order()
        ).hold_id
    capture(held, minor=300, order=order())
    reverse(single, order=order())
    reverse(group, order=order())
