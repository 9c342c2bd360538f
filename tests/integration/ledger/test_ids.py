"""Ids are in the order of the postings of every account, even where the clock steps back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import RFC_4122, UUID

import psycopg
import pytest
from django.db import connection, transaction

from tests.factories import account, inr, order
from tests.servers import TestServer
from transactions.ledger.connection import fetch_one
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import (
    Transfer,
    capture,
    hold,
    post,
    post_batch,
    reverse,
)
from transactions.ledger.reads import entries

Way = Callable[[int, int], Callable[[], list[UUID]]]
"""Prepare a posting between two accounts; what it returns posts and answers with the ids."""

TICKS_OF_AN_HOUR: Final = 3_600 * 4_096_000


def short(payer: int, payee: int) -> Callable[[], list[UUID]]:
    parameters = {
        **dict.fromkeys(("key", "holder", "memo", "reference", "event_at")),
        "client": 0,
        "debit": payer,
        "credit": payee,
        "amount": 10,
        "currency": "INR",
        "kind": "fee",
        "channel": "api",
        "day": order().day,
    }
    return lambda: [fetch_one("post", parameters, "default").transfer_id]


def full(payer: int, payee: int) -> Callable[[], list[UUID]]:
    def act() -> list[UUID]:
        with transaction.atomic():
            return [post(Transfer(payer, payee, inr(10)), order=order()).transfer_id]

    return act


def batch(payer: int, payee: int) -> Callable[[], list[UUID]]:
    def act() -> list[UUID]:
        receipt = post_batch([Transfer(payer, payee, inr(5))] * 2, order=order())
        return [receipt.transfer_id(item) for item in range(2)]

    return act


def captured(payer: int, payee: int) -> Callable[[], list[UUID]]:
    soon = datetime.now(UTC) + timedelta(hours=1)
    held = hold(account=payer, payee=payee, amount=inr(10), expires_at=soon, order=order()).hold_id
    return lambda: [capture(held, minor=10, order=order()).transfer_id]


def reversed_(payer: int, payee: int) -> Callable[[], list[UUID]]:
    done = post(Transfer(payee, payer, inr(10)), order=order()).transfer_id
    return lambda: [reverse(done, order=order())]


def step_clock_back(server: TestServer, number: int) -> UUID:
    """Make an account's last posting an hour later than the clock, and return its last id."""
    with psycopg.connect(server.superuser_url(str(connection.settings_dict["NAME"]))) as superuser:
        row = superuser.execute(
            "UPDATE ledger.account SET last_tick = last_tick + %s WHERE number = %s "
            "RETURNING ledger.id_v1(last_tick, -1)",
            [TICKS_OF_AN_HOUR, number],
        ).fetchone()
    assert row is not None
    last: UUID = row[0]
    return last


def balances_in_order_of_ids(number: int) -> list[int]:
    return [entry.balance_after or 0 for entry in reversed(entries(number))]


@pytest.mark.usefixtures("fresh_bank")
@pytest.mark.parametrize("way", [short, full, batch, captured, reversed_])
def test_every_new_id_is_above_the_last_of_both_accounts(way: Way, server: TestServer) -> None:
    for payer_first in (True, False):
        for payer_ahead in (True, False):
            low, high, third = (account(balance=100) for _number in range(3))
            payer, payee = (low, high) if payer_first else (high, low)
            ahead, behind = (payer, payee) if payer_ahead else (payee, payer)
            posts = [way(payer, payee), way(behind, third), way(third, payer)]
            made = [step_clock_back(server, ahead)]
            for go in posts:
                made += go()
            assert made == sorted(set(made))
            assert {(made_id.version, made_id.variant) for made_id in made[1:]} == {(7, RFC_4122)}
    assert check_books().findings == []


@pytest.mark.usefixtures("fresh_bank")
def test_ids_of_one_account_are_in_the_order_of_its_balances(server: TestServer) -> None:
    """Each way in turn, with the clock an hour further back before each."""
    payer, payee = account(balance=1_000), account(balance=1_000)
    prepared = [way(payer, payee) for way in (short, full, batch, captured, reversed_) * 2]
    for go in prepared:
        step_clock_back(server, payee)
        go()
    posted = len(prepared) + 2
    rising = balances_in_order_of_ids(payee)[-posted:]
    falling = balances_in_order_of_ids(payer)[-posted:]
    assert rising == sorted(set(rising))
    assert falling == sorted(set(falling), reverse=True)
    assert check_books().findings == []
