"""Accounts that move to another node: with all that is theirs, whatever happens meanwhile."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.numbers import account_number
from core.db.errors import Busy
from core.errors import DomainError
from tests.branches import DEL, MUM, Branches
from tests.factories import TODAY, inr, instant, order
from tests.integration.branches.test_crossing import NUMBERS, account_at, balance_of, in_doubt
from transactions.branches import recovery, registry
from transactions.branches.clearing import clearing_account
from transactions.branches.moving import (
    AlreadyThere,
    NotMovable,
    move_account,
    spread_moves,
)
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import UnknownNode, node_of
from transactions.chart import Place, open_chart
from transactions.ledger.accounts import (
    Status,
    set_holder,
    set_limits,
    set_payee_limit,
    set_status,
)
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import (
    Channel,
    Kind,
    Receipt,
    Transfer,
    hold,
    post,
    release,
)
from transactions.ledger.reads import balances, entries, rights_on
from transactions.services import TransferRequest, transfer_funds

ASHA = 7
NODES = ("default", MUM, DEL)


def move(number: int, code: str) -> None:
    move_account(number, code=code, client=ASHA)


def pay(payer: int, payee: int, minor: int, *, key: str | None = None, user: int = ASHA) -> Receipt:
    """Send rupees as a customer does."""
    request = TransferRequest(
        user=user,
        key=key or str(uuid4()),
        channel=Channel.API,
        debit=payer,
        credit=payee,
        amount=inr(minor),
        memo=key,
    )
    return transfer_funds(request, now=instant())


def freeze(number: int, *, node: str, key: str | None = None) -> bool:
    return set_status(number, status=Status.FROZEN, client=0, reason="test", key=key, using=node)


def held_by(number: int, *, user: int = ASHA) -> int:
    """Give a person rights on an account where it lives, and return its number."""
    set_holder(number, user=user, rights="owner", client=0, using=node_of(number))
    return number


def findings() -> list[object]:
    return [finding for node in NODES for finding in check_books(using=node).findings]


def told(branches: Branches, number: int) -> list[tuple[str, int] | None]:
    """Return where each node says that an account went, and how often it has moved."""
    query = "SELECT node, moves FROM ledger.moved WHERE account = %s"
    rows = []
    for node in NODES:
        with psycopg.connect(branches.of(node).app) as connection:
            rows.append(connection.execute(query, [number]).fetchone())
    return rows


def refusal_of(number: int, code: str) -> DomainError:
    with pytest.raises(DomainError) as refused:
        move(number, code)
    return refused.value


@pytest.fixture
def traveller(branches: Branches) -> int:
    """Return an account of Asha's in Mumbai, with ₹10."""
    assert branches
    return held_by(account_at(MUM, 1, balance=1_000))


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


class TestRequests:
    """What was asked for before a move is answered the same after it."""

    def test_of_transfers_are_replayed(self, traveller: int) -> None:
        near, far = account_at(MUM, 2), account_at(DEL, 2)
        paid = {
            key: pay(traveller, payee, 100, key=key)
            for key, payee in ((str(uuid4()), near), (str(uuid4()), far))
        }
        payees = dict(zip(paid, (near, far), strict=True))
        for code in (DEL, "HO", MUM):
            move(traveller, code)
            for key, first in paid.items():
                again = pay(traveller, payees[key], 100, key=key)
                assert (again.transfer_id, again.replayed) == (first.transfer_id, True)
        assert balance_of(MUM, traveller) == 800
        assert findings() == []

    def test_of_another_body_are_refused(self, traveller: int) -> None:
        payee, key = account_at(DEL, 2), str(uuid4())
        pay(traveller, payee, 100, key=key)
        move(traveller, DEL)
        with pytest.raises(Refused) as refused:
            pay(traveller, payee, 101, key=key)
        assert refused.value.reason is Code.KEY_REUSED

    def test_of_holds_and_changes_are_replayed(self, traveller: int) -> None:
        payee, expires_at = account_at(MUM, 2), datetime.now(UTC) + timedelta(days=1)

        def set_aside(node: str) -> UUID:
            return hold(
                account=traveller,
                payee=payee,
                amount=inr(100),
                expires_at=expires_at,
                order=order(client=ASHA, key="hold"),
                using=node,
            ).hold_id

        first = set_aside(MUM)
        release(first, order=order(client=ASHA), using=MUM)
        assert freeze(traveller, node=MUM, key="freeze")
        move(traveller, DEL)
        assert set_aside(DEL) == first
        assert not freeze(traveller, node=DEL, key="freeze")
        assert findings() == []

    def test_keep_their_references_used(self, traveller: int) -> None:
        payee = account_at(MUM, 2)
        transfer = Transfer(traveller, payee, inr(1), reference="rent March")
        post(transfer, order=order(client=ASHA), using=MUM)
        move(traveller, DEL)
        move(traveller, "HO")
        with pytest.raises(Refused) as refused:
            post(
                Transfer(
                    traveller,
                    clearing_account("default", other=DEL, currency="INR"),
                    inr(1),
                    reference="rent March",
                ),
                order=order(client=ASHA),
                using="default",
            )
        assert refused.value.reason is Code.DUPLICATE_REFERENCE
        assert findings() == []


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


class TestWhoComesLater:
    """Callers who have not heard of a move are sent after the account."""

    def test_finds_the_account_before_the_head_office_has_heard(
        self, traveller: int, branches: Branches, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("transactions.branches.moving._tell_others", lambda _moved: None)
        payee, payer = account_at(MUM, 2), held_by(account_at(MUM, 3, balance=100))
        move(traveller, DEL)
        assert told(branches, traveller) == [None, (DEL, 1), (DEL, 1)]
        for debit, credit in ((traveller, payee), (payer, traveller)):
            registry.forget()
            assert node_of(traveller) == MUM
            pay(debit, credit, 10)
            assert node_of(traveller) == DEL
        assert balance_of(DEL, traveller) == 1_000

    def test_is_told_by_watch_what_the_mover_did_not(
        self, traveller: int, branches: Branches, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = account_at(DEL, 2)
        move(other, "HO")
        monkeypatch.setattr("transactions.branches.moving._tell_others", lambda _moved: None)
        move(traveller, DEL)
        move(other, DEL)
        assert told(branches, traveller) == [None, (DEL, 1), (DEL, 1)]
        assert told(branches, other) == [(DEL, 2), ("default", 1), (DEL, 2)]
        for node in NODES:
            spread_moves(node=node)
        assert told(branches, traveller) == [(DEL, 1)] * 3
        assert told(branches, other) == [(DEL, 2)] * 3

    @pytest.mark.parametrize(
        "damage",
        [
            "INSERT INTO ledger.holder VALUES (%(number)s, 9, 'owner')",
            "UPDATE ledger.account SET status = 'open' WHERE number = %(number)s",
            "UPDATE ledger.moved SET node = 'MUM' WHERE account = %(number)s",
        ],
    )
    def test_is_checked_to_find_nothing_left_behind(
        self, traveller: int, branches: Branches, damage: str
    ) -> None:
        move(traveller, DEL)
        with psycopg.connect(branches.mumbai.owner) as mumbai:
            mumbai.execute(damage, {"number": traveller})
        found = {(finding.check, finding.account) for finding in check_books(using=MUM).findings}
        assert ("accounts_that_moved_left_nothing", traveller) in found

    def test_cannot_change_what_was_left_behind(self, traveller: int) -> None:
        move(traveller, DEL)
        for change in (
            partial(set_status, status=Status.OPEN, reason="test"),
            partial(set_limits, overdraft_limit=1, daily_limit=1, reason="test"),
            partial(set_payee_limit, payee=1, daily_limit=1, reason="test"),
            partial(set_holder, user=9, rights="owner"),
        ):
            with pytest.raises(Refused) as refused:
                change(traveller, client=0, using=MUM)
            assert refused.value.reason is Code.ACCOUNT_MOVED
        assert findings() == []


class TestUnrest:
    """Moves among payments, and movers that die."""

    def test_loses_nothing_while_sixteen_pay_and_are_paid(
        self, traveller: int, branches: Branches
    ) -> None:
        branch_of = [(MUM, DEL)[n % 2] for n in range(16)]
        others = [held_by(account_at(branch_of[n], 10 + n, balance=100_000)) for n in range(16)]
        over, answered = Event(), Counter[str]()

        def client(n: int) -> list[str]:
            keys = []
            try:
                while not over.is_set():
                    key = str(uuid4())
                    payer, payee = (others[n], traveller) if n % 4 else (traveller, others[n])
                    try:
                        first = pay(payer, payee, 1 + n, key=key)
                        again = pay(payer, payee, 1 + n, key=key)
                    except (Busy, Refused) as refused:
                        answered[refused.code] += 1
                    else:
                        assert again.replayed
                        assert again.transfer_id == first.transfer_id
                        keys.append(key)
            finally:
                over.set() if sys.exc_info()[0] else None
                connections.close_all()
            return keys

        with ThreadPoolExecutor(16) as pool:
            clients = [pool.submit(client, n) for n in range(16)]
            moves = 0
            try:
                while moves < 50 and not over.is_set():
                    try:
                        move(traveller, (DEL, MUM)[moves % 2])
                    except Busy:
                        continue
                    moves += 1
            finally:
                over.set()
            keys = [key for one in clients for key in one.result()]
        assert moves == 50
        assert len(keys) > 100
        assert set(answered) <= {"busy", "insufficient_funds"}
        assert in_doubt(branches) == []
        assert findings() == []
        assert told(branches, traveller) == [(MUM, 50)] * 3
        legs = self.legs(branches, [traveller, *others])
        assert {legs[key] for key in keys} == {2}
        total = sum(
            balance_of(node, number) for node, number in zip(branch_of, others, strict=True)
        )
        assert total + balance_of(MUM, traveller) == 16 * 100_000 + 1_000

    def legs(self, branches: Branches, customers: list[int]) -> Counter[str]:
        """Count the customers' legs of each payment over all nodes, by its memo."""
        found: Counter[str] = Counter()
        for node in NODES:
            with psycopg.connect(branches.of(node).app) as connection:
                found.update(
                    dict(
                        connection.execute(
                            "SELECT memo, count(*) FROM ledger.entry"
                            " WHERE account = ANY(%s) AND memo IS NOT NULL GROUP BY memo",
                            [customers],
                        ).fetchall()
                    )
                )
        return found

    @pytest.mark.parametrize(
        ("step", "has_moved"),
        [("begun", False), ("prepared", False), ("decided", True), ("settled", True)],
    )
    def test_survives_the_death_of_the_mover(
        self, traveller: int, branches: Branches, step: str, *, has_moved: bool
    ) -> None:
        dying = (
            "import django, os, sys; django.setup();"
            "from transactions.branches import commitment, moving\n"
            f"commitment.on_step = lambda step: os._exit(9) if step == '{step}' else None\n"
            f"moving.move_account({traveller}, code='DEL', client=0)"
        )
        died = subprocess.run(
            [sys.executable, "-c", dying],
            env={**os.environ, "DATABASE_URL": branches.head_office.app},
            check=False,
        )
        assert died.returncode == 9
        deadline = time.monotonic() + 10
        while recovery.sweep(older_than=0).left:
            assert time.monotonic() < deadline
        assert in_doubt(branches) == []
        assert findings() == []
        spread_moves(node=DEL)
        spread_moves(node=MUM)
        assert told(branches, traveller) == [(DEL, 1) if has_moved else None] * 3
        pay(traveller, held_by(account_at(MUM, 2)), 400)
        assert balance_of(DEL if has_moved else MUM, traveller) == 600
