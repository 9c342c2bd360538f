"""After an account has moved: what was asked for before is answered, and everybody finds it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest

from core import clock
from core.db.reading import reading
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, order
from tests.integration.branches.moves import ASHA, NODES, findings, freeze, held_by, move, pay, told
from tests.integration.branches.test_crossing import account_at, balance_of
from tests.integration.webhooks.test_feeding import wait_for_others
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import registry
from transactions.branches.clearing import clearing_account
from transactions.branches.moving import spread_moves
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of
from transactions.fraud.models import FraudAlert
from transactions.fraud.watching import watch_page
from transactions.ledger.accounts import Status, set_holder, set_limits, set_payee_limit, set_status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Transfer, hold, post, release
from transactions.ledger.reads import EVERYTHING, EntryFilter
from transactions.statements.pages import NEWEST, Place, StatementPage, Totals, statement_page
from transactions.statements.whole import whole_statement


class TestStatements:
    """The history of an account that has moved is one, and never shown in part."""

    def test_turn_and_add_up_over_all_homes(self, traveller: int) -> None:
        pay(traveller, account_at(MUM, 2), 100)
        move(traveller, DEL)
        pay(traveller, account_at(DEL, 2), 50)
        first = self.page(traveller, NEWEST)
        second = self.page(traveller, Place(before=first.older))
        third = self.page(traveller, Place(before=second.older))
        changes = [page.movements[0].change.minor for page in (first, second, third)]
        assert (changes, third.older) == ([-50, -100, 1_000], None)
        assert self.page(traveller, Place(after=third.newer)).movements == second.movements
        assert first.totals == Totals(
            opening=inr(0), coming=inr(1_000), going=inr(-150), closing=inr(850), entries=3
        )

    def test_are_not_added_up_and_no_file_while_a_home_is_silent(
        self, traveller: int, branches: Branches, server: TestServer
    ) -> None:
        move(traveller, DEL)
        with (
            node_down(server, branches.mumbai),
            reading(may_use_replica=False, positions={}),
        ):
            assert self.page(traveller, NEWEST).totals is None
            with pytest.raises(BranchDown):
                whole_statement(
                    ASHA, owner="", number=traveller, wanted=self.wanted, now=datetime.now(UTC)
                )

    def page(self, number: int, place: Place) -> StatementPage:
        """Return a page of one movement."""
        return statement_page(
            ASHA, number=number, place=place, limit=1, wanted=self.wanted, now=datetime.now(UTC)
        )

    @staticmethod
    def wanted(_currency: str) -> EntryFilter:
        """Want everything."""
        return EVERYTHING


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


class TestFraudRules:
    """Whoever watches an account goes on where it lives now, by what it did before."""

    def test_find_a_burst_that_began_before_the_move(
        self, traveller: int, branches: Branches, server: TestServer
    ) -> None:
        near = account_at(MUM, 2)
        first = [pay(traveller, near, 1).transfer_id for _ in range(4)]
        assert self.watch(MUM) == 0
        move(traveller, DEL)
        far = account_at(DEL, 2)
        second = [pay(traveller, far, 1).transfer_id for _ in range(3)]
        with node_down(server, branches.mumbai):
            # Of what a silent node knows nothing is said, and no payment waits for it.
            assert self.watch(DEL) == 0
        second += [pay(traveller, far, 1).transfer_id]
        assert self.watch(DEL) == 1
        alert = FraudAlert.objects.get()
        assert (alert.rule, set(alert.transfers)) == ("velocity", {*first, *second})

    @staticmethod
    def watch(node: str) -> int:
        """Look at what is new on a node, and return how many alerts were raised."""
        wait_for_others(node)
        return watch_page(node=node, now=clock.now())[1]
