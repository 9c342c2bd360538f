"""Folding summed accounts loses nothing and counts nothing twice, whatever is in flight."""

import threading
import time

import psycopg
import pytest
from django.db import connection

from bankproject.runtime.postgres import BankUrls
from tests.factories import account, bank_accounts
from tests.integration.ledger.raw import post_on
from transactions.chart import Place
from transactions.ledger.connection import fetch_one
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances

DEADLINE_SECONDS = 30


def fees() -> int:
    return bank_accounts().number(Place.FEE_INCOME)


def shown(number: int) -> int:
    return balances([number])[0].balance


def fold() -> None:
    fetch_one("fold", {}, "default")


def folded(number: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT balance FROM ledger.folded WHERE account = %s", [number])
        row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def fold_until(number: int, balance: int) -> None:
    """Fold until it is all there; any transaction on the server holds a fold back for a while."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while folded(number) != balance:
        assert time.monotonic() < deadline, f"{folded(number)} is folded, not {balance}"
        fold()
        assert shown(number) == balance
        time.sleep(0.01)


@pytest.mark.parametrize("prepared", [False, True], ids=["open", "prepared"])
@pytest.mark.parametrize("way", ["full", "batch"])
def test_a_posting_in_flight_is_not_lost(fresh_bank: BankUrls, way: str, *, prepared: bool) -> None:
    number, payer, other = fees(), account(balance=100), account(balance=100)
    with psycopg.connect(fresh_bank.app) as early, psycopg.connect(fresh_bank.app) as late:
        post_on(early, payer, number, 1, way=way)
        early.commit()
        fold_until(number, 1)
        post_on(late, payer, number, 10, way=way)
        if prepared:
            late.execute("PREPARE TRANSACTION 'fold-test'")
            late.autocommit = True
        # A batch in flight holds the lock of all batches back.
        post_on(early, other, number, 100, way="full")
        early.commit()
        assert shown(number) == 101
        fold()
        assert shown(number) == 101
        fold()
        assert (folded(number), shown(number)) == (1, 101)
        if prepared:
            late.execute("COMMIT PREPARED 'fold-test'")
        else:
            late.commit()
    assert shown(number) == 111
    fold_until(number, 111)
    fold()
    assert (folded(number), shown(number)) == (111, 111)
    assert check_books().findings == []


def test_folds_at_once_beside_a_busy_node_count_each_posting_once(fresh_bank: BankUrls) -> None:
    number = fees()
    payers = [account(balance=1_000) for _payer in range(3)]
    threads = [
        threading.Thread(target=pay, args=(fresh_bank.app, payer, number)) for payer in payers
    ] + [threading.Thread(target=fold_often, args=(fresh_bank.app,)) for _folder in range(2)]
    for thread in threads:
        thread.start()
    seen = [0]
    while any(thread.is_alive() for thread in threads):
        seen.append(shown(number))
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert seen == sorted(seen), "the balance only grows"
    fold_until(number, 3 * 40)
    assert check_books().findings == []


def pay(url: str, payer: int, payee: int) -> None:
    with psycopg.connect(url) as poster:
        for turn in range(40):
            post_on(poster, payer, payee)
            if turn % 4 == 0:
                time.sleep(0.01)
            poster.commit()


def fold_often(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as folder:
        for _turn in range(40):
            folder.execute("SELECT ledger.fold_v1()")
            time.sleep(0.005)
