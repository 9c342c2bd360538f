"""What is wrong is refused by its own code, on both roads, and nothing is written."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

from core.db.errors import BadText
from tests.expectations import refusing
from tests.factories import account, inr, order
from transactions.ledger import codes
from transactions.ledger.accounts import (
    Opening,
    Purpose,
    Status,
    open_account,
    set_limits,
    set_status,
)
from transactions.ledger.codes import Code
from transactions.ledger.posting import (
    Transfer,
    capture,
    hold,
    post,
    post_batch,
    release,
    reverse,
)
from transactions.ledger.reads import balance_at, balances

pytestmark = pytest.mark.django_db
UNKNOWN = 123_456_789_012
CODES_SQL = Path(codes.__file__).parent / "sql" / "codes.sql"


def test_sql_and_python_know_the_same_codes() -> None:
    written = re.findall(r"WHEN (\d+) THEN '(\w+)'", CODES_SQL.read_text(encoding="utf-8"))
    assert {int(number): name.upper() for number, name in written} == {
        code.value: code.name for code in Code
    }
    assert all(codes.Refused(code).message for code in Code)


def refused_on_both_roads(wish: Transfer, reason: Code) -> None:
    with refusing(reason):
        post(wish, order=order())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger.journal")
        before = cursor.fetchone()
        receipt = post_batch([wish], order=order())
        cursor.execute("SELECT count(*) FROM ledger.journal")
        assert cursor.fetchone() == before
    assert receipt.refusals == {0: reason}


@pytest.mark.parametrize(
    ("minor", "reason"),
    [
        (0, Code.INVALID_AMOUNT),
        (-1, Code.INVALID_AMOUNT),
        (10**15 + 1, Code.AMOUNT_TOO_LARGE),
        (101, Code.INSUFFICIENT_FUNDS),
    ],
)
def test_amounts(minor: int, reason: Code) -> None:
    refused_on_both_roads(Transfer(account(balance=100), account(), inr(minor)), reason)


def test_unknown_accounts_and_one_account_twice() -> None:
    known = account(balance=100)
    refused_on_both_roads(Transfer(UNKNOWN, known, inr(1)), Code.UNKNOWN_DEBIT_ACCOUNT)
    refused_on_both_roads(Transfer(known, UNKNOWN, inr(1)), Code.UNKNOWN_CREDIT_ACCOUNT)
    refused_on_both_roads(Transfer(known, known, inr(1)), Code.SAME_ACCOUNT)


@pytest.mark.parametrize(
    ("status", "as_debit", "as_credit"),
    [
        (Status.FROZEN, Code.DEBIT_ACCOUNT_FROZEN, Code.CREDIT_ACCOUNT_FROZEN),
        (Status.CLOSED, Code.DEBIT_ACCOUNT_CLOSED, Code.CREDIT_ACCOUNT_CLOSED),
    ],
)
def test_frozen_and_closed_accounts(status: Status, as_debit: Code, as_credit: Code) -> None:
    stopped, other = account(), account(balance=100)
    set_status(stopped, status=status, client=0, reason="asked")
    refused_on_both_roads(Transfer(stopped, other, inr(1)), as_debit)
    refused_on_both_roads(Transfer(other, stopped, inr(1)), as_credit)


def test_currencies() -> None:
    rupees, yen = account(balance=100), account(currency="JPY")
    refused_on_both_roads(Transfer(rupees, yen, inr(1)), Code.CURRENCIES_DIFFER)
    in_yen = replace(inr(1), currency="JPY")
    refused_on_both_roads(Transfer(rupees, account(), in_yen), Code.WRONG_CURRENCY)


@pytest.mark.parametrize("memo", ["nul \0 inside", "lone \ud800 surrogate"])
@pytest.mark.parametrize("road", ["single", "batch"])
def test_memos_that_cannot_be_stored(memo: str, road: str) -> None:
    payer, payee = account(balance=100), account()
    wish = Transfer(payer, payee, inr(1), memo=memo)
    send = partial(post, wish) if road == "single" else partial(post_batch, [wish])
    with pytest.raises(BadText):
        send(order=order())


def test_batches_as_a_whole() -> None:
    wish = Transfer(account(balance=100), account(), inr(1))
    with refusing(Code.BATCH_EMPTY):
        post_batch([], order=order())
    with refusing(Code.BATCH_TOO_LARGE):
        post_batch([wish] * 10_001, order=order())
    receipt = post_batch([replace(wish, linked=True)], order=order())
    assert receipt.refusals == {0: Code.LINKED_CHAIN_OPEN}


def test_a_batch_of_another_body_under_the_same_key() -> None:
    wish = Transfer(account(balance=100), account(), inr(1))
    post_batch([wish, wish], order=order(client=7, key="salaries"))
    with refusing(Code.KEY_REUSED):
        post_batch([wish], order=order(client=7, key="salaries"))
    with refusing(Code.KEY_REUSED):
        post(wish, order=order(client=7, key="salaries"))


def test_a_batch_retried_after_a_lost_answer_gets_the_first_one() -> None:
    payer = account(balance=100)
    wishes = [Transfer(payer, account(), inr(60)) for _item in range(2)]
    first = post_batch(wishes, order=order(client=7, key="salaries"))
    again = post_batch(wishes, order=order(client=7, key="salaries"))
    assert first.refusals == {1: Code.INSUFFICIENT_FUNDS}
    assert (again.replayed, again.first_id, again.refusals) == (
        True,
        first.first_id,
        first.refusals,
    )
    assert balances([payer])[0].balance == 40


def test_holds() -> None:
    payer, payee = account(balance=100), account()
    soon = datetime.now(UTC) + timedelta(hours=1)
    with refusing(Code.INVALID_EXPIRY):
        hold(
            account=payer,
            payee=payee,
            amount=inr(1),
            expires_at=datetime.now(UTC) - timedelta(seconds=1),
            order=order(),
        )
    with refusing(Code.INSUFFICIENT_FUNDS):
        hold(account=payer, payee=payee, amount=inr(101), expires_at=soon, order=order())
    held = hold(account=payer, payee=payee, amount=inr(80), expires_at=soon, order=order()).hold_id
    with refusing(Code.INSUFFICIENT_FUNDS):
        post(Transfer(payer, payee, inr(21)), order=order())
    with refusing(Code.CAPTURE_EXCEEDS_HOLD):
        capture(held, minor=81, order=order())
    with refusing(Code.INVALID_AMOUNT):
        capture(held, minor=0, order=order())
    with refusing(Code.UNKNOWN_HOLD):
        release(uuid4(), order=order())
    with refusing(Code.HOLD_OPEN):
        set_status(payer, status=Status.CLOSED, client=0, reason="asked")
    release(held, order=order())
    with refusing(Code.HOLD_NOT_OPEN):
        capture(held, minor=1, order=order())


def test_reversals() -> None:
    payer, payee = account(balance=100), account()
    done = post(Transfer(payer, payee, inr(60)), order=order()).transfer_id
    with refusing(Code.UNKNOWN_TRANSFER):
        reverse(uuid4(), order=order())
    undone = reverse(done, order=order())
    with refusing(Code.ALREADY_REVERSED):
        reverse(done, order=order())
    with refusing(Code.NOT_REVERSIBLE):
        reverse(undone, order=order())


def test_accounts() -> None:
    number = account(balance=1)
    taken = Opening(number=number, currency="JPY", purpose=Purpose.CUSTOMER)
    with refusing(Code.ACCOUNT_EXISTS):
        open_account(taken, client=0)
    with refusing(Code.UNKNOWN_ACCOUNT):
        set_status(UNKNOWN, status=Status.FROZEN, client=0, reason="asked")
    with refusing(Code.BALANCE_NOT_ZERO):
        set_status(number, status=Status.CLOSED, client=0, reason="asked")
    with refusing(Code.INSTANT_IN_FUTURE):
        balance_at(number, at=datetime.now(UTC) + timedelta(hours=1))
    set_status(account_closed := account(), status=Status.CLOSED, client=0, reason="asked")
    with refusing(Code.ACCOUNT_CLOSED):
        set_limits(account_closed, overdraft_limit=0, daily_limit=0, client=0, reason="asked")
