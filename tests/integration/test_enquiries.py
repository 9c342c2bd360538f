"""What staff look up: transfers, people, accounts, whole branches."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts import search
from accounts.models import User
from accounts.search import people_found
from core import clock
from tests.factories import account, inr, order, person
from transactions.enquiries.transfers import (
    TransferFilter,
    TransferState,
    all_transfers,
    transfer_known,
    transfers_found,
    transfers_under,
)
from transactions.ledger.codes import Refused
from transactions.ledger.posting import Channel, Kind, Order, Transfer, post, reverse

pytestmark = pytest.mark.django_db


def pay(debit: int, credit: int, minor: int = 100, **changes: Any) -> Any:
    """Post a transfer and return what came of it."""
    channel = changes.pop("channel", Channel.WEB)
    asked = Order(client=0, channel=channel, day=clock.bank_day(clock.now()), key=str(uuid4()))
    return post(Transfer(debit, credit, inr(minor), **changes), order=asked)


def memos_of(**wanted: Any) -> list[str]:
    """Return the memos of what is wanted, newest first."""
    page = transfers_found(TransferFilter(**wanted), before=None, limit=100)
    return [one.memo for one in page.transfers]


class TestTransfers:
    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({}, ["late", "cash", "Rent March"]),
            ({"least": Decimal("2.00")}, ["late", "cash"]),
            ({"most": Decimal("2.00")}, ["cash", "Rent March"]),
            ({"kind": "deposit"}, ["cash"]),
            ({"channel": "teller"}, ["cash"]),
            ({"text": "rent"}, ["Rent March"]),
            ({"text": "R-1"}, ["late"]),
            ({"currency": "JPY"}, []),
            ({"branch": 100}, ["late", "cash", "Rent March"]),
            ({"branch": 201}, []),
            ({"state": TransferState.WITHIN}, ["late", "cash", "Rent March"]),
            ({"state": TransferState.SETTLED}, []),
        ],
    )
    def test_are_filtered_each_way(self, wanted: dict[str, Any], found: list[str]) -> None:
        payer, payee = account(balance=1_000), account()
        begin = clock.now()
        pay(payer, payee, memo="Rent March")
        pay(payer, payee, 200, memo="cash", kind=Kind.DEPOSIT, channel=Channel.TELLER)
        pay(payer, payee, 300, memo="late", reference="R-1")
        assert memos_of(since=begin, account=payee, **wanted) == found
        assert memos_of(until=begin, account=payee) == []
        exported = all_transfers(TransferFilter(since=begin, account=payee, **wanted))
        assert [one.memo for one in exported] == found

    def test_hide_what_was_taken_back_and_its_reversal(self) -> None:
        payer, payee = account(balance=1_000), account()
        taken_back = pay(payer, payee, memo="wrong").transfer_id
        reverse(taken_back, order=order())
        pay(payer, payee, memo="right")
        assert memos_of(account=payee, hide_reversed=True) == ["right"]
        assert len(memos_of(account=payee)) == 3
        known = transfer_known(taken_back)
        assert transfer_known(known.reversed_by or taken_back).reverses == taken_back

    def test_go_on_page_by_page_and_repeat_nothing(self) -> None:
        payer, payee = account(balance=1_000), account()
        for number in range(7):
            pay(payer, payee, memo=str(number))
        seen, before = [], None
        while True:
            page = transfers_found(TransferFilter(account=payee), before=before, limit=3)
            seen += [one.memo for one in page.transfers]
            before = page.older
            if before is None:
                break
        assert seen == [str(number) for number in reversed(range(7))]

    def test_are_found_by_id_and_by_reference(self) -> None:
        payer, payee = account(balance=1_000), account()
        sent = pay(payer, payee, memo="rent", reference="INV-7").transfer_id
        assert [one.transfer_id for one in transfers_under("INV-7", limit=9)] == [sent]
        assert transfers_under("INV-8", limit=9) == []
        known = transfer_known(sent)
        assert (known.debit.number, known.credit.number) == (payer, payee)
        assert (known.debit_after, known.credit_after) == (inr(900), inr(100))
        assert known.state is TransferState.WITHIN
        with pytest.raises(Refused, match="no such transfer"):
            transfer_known(uuid4())


def names_for(text: str) -> list[str]:
    """Return who is found by a text."""
    return [one.full_name for one in people_found(text, after=None, limit=20).people]


class TestPeople:
    @pytest.mark.parametrize(
        "text",
        [
            "Zoë",
            "zoe",
            "ZOE fer",
            "fern",
            "Fernández",
            "o'da",
            "zoe@ex",
            "9820012345",
            "098200 12345",
        ],
    )
    def test_are_found_however_they_are_written(self, text: str) -> None:
        person(full_name="Zoë O'Dale Fernández", email="zoe@example.org", phone="+919820012345")
        person(full_name="Asha Rao", email="asha@example.org", phone="+919820099999")
        assert names_for(text) == ["Zoë O'Dale Fernández"]

    @pytest.mark.parametrize("text", ["oe", "'", "\\", "%", "& | !", "345", "", "x" * 500, "zoe%@"])
    def test_are_not_found_by_what_says_nothing(self, text: str) -> None:
        person(full_name="Zoë O'Dale Fernández", email="zoe@example.org", phone="+919820012345")
        assert names_for(text) == []

    @pytest.mark.parametrize(
        ("text", "index"),
        [
            ("asha", "user_by_words_of_name"),
            ("asha@", "user_by_beginning_of_email"),
            ("12345", "user_by_end_of_phone"),
        ],
    )
    def test_are_found_by_indexes_however_many_there_are(self, text: str, index: str) -> None:
        # Among few, whatever was last counted of the table decides which index seems cheapest.
        User.objects.bulk_create(
            User(
                number=7_000_000_000 + serial,
                full_name="Meera Joshi",
                email=f"m{serial}@example.org",
            )
            for serial in range(1_000)
        )
        explained = f"EXPLAIN {search._QUERIES['people_found']}"  # noqa: SLF001  # the query as it is asked
        plan: list[str] = []

        def explain(run: Any, sql: str, parameters: Any, many: Any, context: Any) -> Any:
            if sql in search._QUERIES.values():  # noqa: SLF001
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL enable_seqscan = off")
                    cursor.execute(explained, parameters)
                    plan.extend(line for (line,) in cursor.fetchall())
            return run(sql, parameters, many, context)

        with connection.execute_wrapper(explain):
            people_found(text, after=None, limit=20)
        assert index in "\n".join(plan)
        assert "Seq Scan on accounts_user" not in "\n".join(plan)

    def test_are_customers_alone(self) -> None:
        person(full_name="Meera Joshi", role="employee")
        assert names_for("meera") == []

    def test_come_page_by_page_in_the_order_of_their_names(self) -> None:
        for name in ("Ravi B", "Ravi A", "Ravi C", "Ravi A"):
            person(full_name=name)
        first = people_found("ravi", after=None, limit=2)
        assert [one.full_name for one in first.people] == ["Ravi A", "Ravi A"]
        last = people_found("ravi", after=first.onward, limit=2)
        assert [one.full_name for one in last.people] == ["Ravi B", "Ravi C"]
        assert last.onward is None
