"""Accounts that move to another node, with all that is theirs; and those that cannot."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.numbers import account_number
from core.db.errors import Busy
from tests.branches import DEL, MUM, Branches
from tests.factories import TODAY, inr, order
from tests.integration.branches.moves import (
    ASHA,
    NODES,
    findings,
    freeze,
    move,
    pay,
    refusal_of,
    told,
)
from tests.integration.branches.test_crossing import NUMBERS, account_at, balance_of, in_doubt
from transactions.branches.clearing import clearing_account
from transactions.branches.moving import AlreadyThere, NotMovable
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import UnknownNode, node_of
from transactions.chart import Place, open_chart
from transactions.ledger.accounts import Status, set_limits, set_payee_limit, set_status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Kind, Transfer, hold, post, release
from transactions.ledger.reads import balances, entries, rights_on


class TestMoving:
    def test_takes_the_money_along_and_leaves_nothing(
        self, traveller: int, branches: Branches
    ) -> None:
        move(traveller, DEL)
        assert (balance_of(MUM, traveller), balance_of(DEL, traveller)) == (0, 1_000)
        assert node_of(traveller) == DEL
        assert told(branches, traveller) == [(DEL, 1)] * 3
        owed = balance_of(MUM, clearing_account(MUM, other=DEL, currency="INR"))
        due = balance_of(DEL, clearing_account(DEL, other=MUM, currency="INR"))
        assert (owed, due) == (1_000, -1_000)
        assert in_doubt(branches) == []
        assert findings() == []

    @pytest.mark.usefixtures("branches")
    def test_takes_a_debt_along_and_what_lies_below_its_limit(self) -> None:
        debtor = account_at(MUM, 1, balance=100)
        vault = open_chart(branch=NUMBERS[MUM], currency="INR", using=MUM).number(Place.VAULT)
        set_limits(
            debtor, overdraft_limit=900, daily_limit=None, client=0, reason="test", using=MUM
        )
        post(Transfer(debtor, vault, inr(800), Kind.FEE), order=order(), using=MUM)
        set_limits(
            debtor, overdraft_limit=100, daily_limit=None, client=0, reason="test", using=MUM
        )
        move(debtor, DEL)
        assert balance_of(DEL, debtor) == -700
        assert findings() == []
        with pytest.raises(Refused) as refused:
            post(Transfer(debtor, account_at(DEL, 9), inr(1), Kind.FEE), order=order(), using=DEL)
        assert refused.value.reason is Code.INSUFFICIENT_FUNDS

    def test_writes_no_transfer_of_nothing(self, branches: Branches) -> None:
        empty = account_at(MUM, 1)
        move(empty, DEL)
        with psycopg.connect(branches.delhi.app) as delhi:
            assert delhi.execute("SELECT count(*) FROM ledger.journal").fetchone() == (0,)
        assert balance_of(DEL, empty) == 0
        assert findings() == []

    def test_keeps_holders_limits_and_what_counts_against_them(self, traveller: int) -> None:
        payee = account_at(MUM, 2)
        set_limits(
            traveller, overdraft_limit=50, daily_limit=500, client=0, reason="test", using=MUM
        )
        set_payee_limit(traveller, payee=payee, daily_limit=300, client=0, reason="test", using=MUM)
        pay(traveller, payee, 250)
        move(traveller, DEL)
        assert rights_on(traveller, user=ASHA, using=DEL) == "owner"
        assert rights_on(traveller, user=ASHA, using=MUM) is None
        (there,) = balances([traveller], using=DEL)
        assert (there.balance, there.available, there.daily_limit) == (750, 800, 500)
        for other, minor, reason in (
            (payee, 51, Code.PAYEE_LIMIT_EXCEEDED),
            (account_at(DEL, 2), 251, Code.DAILY_LIMIT_EXCEEDED),
        ):
            with pytest.raises(Refused) as refused:
                pay(traveller, other, minor)
            assert refused.value.reason is reason
        pay(traveller, payee, 50)
        assert findings() == []

    def test_keeps_a_frozen_account_frozen(self, traveller: int) -> None:
        freeze(traveller, node=MUM)
        move(traveller, DEL)
        with pytest.raises(Refused) as refused:
            pay(traveller, account_at(DEL, 2), 1)
        assert refused.value.reason is Code.DEBIT_ACCOUNT_FROZEN
        assert findings() == []

    def test_comes_home_again(self, traveller: int, branches: Branches) -> None:
        other = account_at(DEL, 2)
        move(traveller, DEL)
        pay(traveller, other, 300)
        move(traveller, "HO")
        move(traveller, MUM)
        assert (balance_of(MUM, traveller), balance_of(DEL, other)) == (700, 300)
        assert told(branches, traveller) == [(MUM, 3)] * 3
        assert rights_on(traveller, user=ASHA, using=MUM) == "owner"
        assert findings() == []

    def test_keeps_one_history_in_the_order_of_its_ids(self, traveller: int) -> None:
        other = account_at(DEL, 2)
        for code in (DEL, MUM, DEL):
            pay(traveller, other, 10)
            move(traveller, code)
        pay(traveller, other, 10)
        parts = [entry for node in NODES for entry in entries(traveller, using=node)]
        parts.sort(key=lambda entry: entry.transfer_id)
        assert [entry.change for entry in parts] == [1_000, -10, -10, -10, -10]
        assert [entry.balance_after for entry in parts] == [1_000, 990, 980, 970, 960]

    def test_goes_on_after_the_last_id_of_a_node_whose_clock_is_ahead(
        self, traveller: int, branches: Branches
    ) -> None:
        with psycopg.connect(branches.mumbai.owner) as mumbai:
            mumbai.execute("UPDATE ledger.account SET last_tick = last_tick + 4096000 * 60")
        other = account_at(DEL, 2)
        pay(traveller, other, 1)
        move(traveller, DEL)
        pay(traveller, other, 2)
        parts = entries(traveller, using=MUM) + entries(traveller, using=DEL)
        newest = max(parts, key=lambda entry: entry.transfer_id)
        assert newest.change == -2
        assert findings() == []

    def test_is_a_command(self, traveller: int, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("move_account", str(traveller), DEL)
        assert json.loads(capsys.readouterr().out) == {
            "number": traveller,
            "source": MUM,
            "destination": DEL,
            "settling": False,
        }
        with pytest.raises(CommandError, match=r"was not moved: .* lives there already"):
            call_command("move_account", str(traveller), DEL)
        with pytest.raises(CommandError, match="was not moved: This is no account number"):
            call_command("move_account", str(traveller + 1), DEL)


class TestRefusal:
    """What cannot move stays as it is, and the nodes with it."""

    @pytest.fixture(autouse=True)
    def nothing_changes(self, traveller: int, branches: Branches) -> Iterator[None]:
        yield
        for node in NODES:
            with psycopg.connect(branches.of(node).app) as connection:
                found = connection.execute(
                    "SELECT count(*) FROM ledger.account WHERE status = 'moved'"
                ).fetchone()
                assert found == (0,)
        assert told(branches, traveller) == [None] * 3
        assert in_doubt(branches) == []
        assert findings() == []

    def test_of_an_unknown_account(self) -> None:
        unknown = account_number(branch=201, serial=77)
        refused = refusal_of(unknown, DEL)
        assert refused.code == "unknown_account"

    @pytest.mark.parametrize("code", ["BLR", "default", "del", "", "replica"])
    def test_to_an_unknown_branch(self, traveller: int, code: str) -> None:
        with pytest.raises(UnknownNode, match="The bank has no node"):
            move(traveller, code)

    def test_to_where_it_is(self, traveller: int) -> None:
        with pytest.raises(AlreadyThere):
            move(traveller, MUM)

    def test_of_the_banks_own_account(self) -> None:
        vault = open_chart(branch=201, currency="INR", using=MUM).number(Place.VAULT)
        with pytest.raises(NotMovable):
            move(vault, DEL)

    def test_of_a_closed_account(self) -> None:
        closed = account_at(MUM, 3)
        set_status(closed, status=Status.CLOSED, client=0, reason="test", using=MUM)
        assert refusal_of(closed, DEL).code == "account_closed"

    def test_while_money_is_on_hold(self, traveller: int) -> None:
        payee = account_at(MUM, 2)
        held = hold(
            account=traveller,
            payee=payee,
            amount=inr(1),
            expires_at=datetime.now(UTC) + timedelta(days=1),
            order=order(),
            using=MUM,
        ).hold_id
        assert refusal_of(traveller, DEL).code == "hold_open"
        assert refusal_of(payee, DEL).code == "hold_open"
        release(held, order=order(), using=MUM)

    def test_while_a_transfer_is_in_flight(self, traveller: int, branches: Branches) -> None:
        with psycopg.connect(branches.mumbai.app) as mumbai:
            payee = account_at(MUM, 2)
            mumbai.execute(
                "SELECT ledger.post_fully_v1(0, 'k', %s, %s, 1, 'INR', 'transfer', 'api', %s)",
                [traveller, payee, TODAY],
            )
            with pytest.raises(Busy):
                move(traveller, DEL)

    @pytest.mark.parametrize("silent", [MUM, DEL])
    def test_while_a_branch_is_down(self, traveller: int, silent: str) -> None:
        address = connections[silent].settings_dict
        connections[silent].close()
        port, address["PORT"] = address["PORT"], "9"
        try:
            with pytest.raises(BranchDown):
                move(traveller, DEL)
        finally:
            address["PORT"] = port
