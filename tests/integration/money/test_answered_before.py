"""A request sent again is told what came of it, whatever has become of the branches meanwhile."""

from datetime import timedelta
from threading import Thread
from time import monotonic, sleep
from uuid import uuid4

import psycopg
import pytest
from django.db import connections, transaction
from pytest_django.fixtures import Settings

from bankproject.runtime.postgres import BankUrls
from core.errors import DomainError
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, instant, order
from tests.integration.branches.test_crossing import balance_of
from tests.integration.money.people import ASHA, NODES, findings, held_at, move, pay
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.meetings import note_meeting
from transactions.branches.outcomes import BranchDown
from transactions.cash import CashFilling, CashRequest, deposit_cash, fill_with_cash, withdraw_cash
from transactions.chart import Place
from transactions.ledger import posting
from transactions.ledger.accounts import Status, set_status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import BANK_CLIENT, Channel

NOW = instant()


@pytest.fixture
def pair(branches: Branches) -> tuple[int, int]:
    """Return Asha's account in Mumbai with ₹10, and her empty one in Delhi."""
    assert branches
    return held_at(MUM, 1, balance=1_000), held_at(DEL, 1)


class TestTransfer:
    def test_is_answered_by_its_source_while_the_payees_branch_is_down(
        self, pair: tuple[int, int], branches: Branches, server: TestServer
    ) -> None:
        first = pay(*pair, 400, key="rent")
        with node_down(server, branches.delhi):
            again = pay(*pair, 400, key="rent")
            with pytest.raises(Refused) as refused:
                pay(*pair, 401, key="rent")
            with pytest.raises(BranchDown):
                pay(*pair, 400, key="another")
        assert again.replayed
        assert (again.transfer_id, again.debit_after) == (first.transfer_id, 600)
        assert refused.value.reason is Code.KEY_REUSED
        assert balance_of(DEL, pair[1]) == 400

    def test_is_answered_though_the_payees_account_is_frozen_by_now(
        self, branches: Branches
    ) -> None:
        assert branches
        payer, payee = held_at(DEL, 1, balance=1_000), held_at(MUM, 1)
        first = pay(payer, payee, 400, key="rent")
        set_status(payee, status=Status.FROZEN, client=0, reason="test", using=MUM)
        # As after a meeting, when the payee's branch, of the lower number, is asked first.
        note_meeting(payer, payee)
        again = pay(payer, payee, 400, key="rent")
        assert (again.replayed, again.transfer_id) == (True, first.transfer_id)
        with pytest.raises(Refused) as refused:
            pay(payer, payee, 400, key="another")
        assert refused.value.reason is Code.CREDIT_ACCOUNT_FROZEN

    def test_under_way_is_waited_for(self, pair: tuple[int, int], branches: Branches) -> None:
        payer, payee = pair
        asked = order(client=ASHA)
        wish = posting.Transfer(payer, payee, inr(1))
        found: list[object] = []

        def look() -> None:
            found.append(posting.answered(wish, order=asked, using=MUM))
            connections.close_all()

        looking = Thread(target=look)
        with transaction.atomic(using=MUM):
            held_up = held_at(MUM, 5)
            posted = posting.post(posting.Transfer(payer, held_up, inr(1)), order=asked, using=MUM)
            looking.start()
            wait_for_a_waiter(branches.mumbai)
            assert (found, bool(posted.transfer_id)) == ([], True)
            transaction.set_rollback(True, using=MUM)
        looking.join()
        assert found == [None]


class TestCash:
    @pytest.mark.parametrize("book", [deposit_cash, withdraw_cash])
    def test_is_answered_after_the_account_has_moved(
        self, pair: tuple[int, int], settings: Settings, book: object
    ) -> None:
        settings.BANK_SELF_SERVICE_CASH = True
        for node in NODES:
            filling = CashFilling(
                user=BANK_CLIENT, key=str(uuid4()), node=node, place=Place.MACHINE, amount=inr(500)
            )
            fill_with_cash(filling, now=NOW)

        def ask(minor: int = 300) -> posting.Receipt:
            request = CashRequest(
                user=ASHA, key="tips", channel=Channel.MACHINE, account=pair[0], amount=inr(minor)
            )
            receipt: posting.Receipt = book(request, now=NOW)  # type: ignore[operator]
            return receipt

        first = ask()
        move(pair[0], DEL)
        again = ask()
        assert (again.replayed, again.transfer_id) == (True, first.transfer_id)
        with pytest.raises(DomainError) as refused:
            ask(301)
        assert refused.value.code == "key_reused"
        assert balance_of(DEL, pair[0]) == (1_300 if book is deposit_cash else 700)
        assert findings() == []

    def test_booked_by_the_function_before_is_answered(
        self, pair: tuple[int, int], branches: Branches, settings: Settings
    ) -> None:
        settings.BANK_SELF_SERVICE_CASH = True
        filling = CashFilling(
            user=BANK_CLIENT, key=str(uuid4()), node=MUM, place=Place.MACHINE, amount=inr(500)
        )
        fill_with_cash(filling, now=NOW)
        request = CashRequest(
            user=ASHA, key="tips", channel=Channel.MACHINE, account=pair[0], amount=inr(300)
        )
        with psycopg.connect(branches.mumbai.app) as mumbai:
            machine = mumbai.execute(
                "SELECT number FROM ledger.account WHERE purpose = 'machine' AND currency = 'INR'"
            ).fetchone()
            # As it booked: under a key that stands for the place, too.
            (booked,) = mumbai.execute(
                "SELECT transfer_id FROM ledger.post_fully_v1("
                "%s, 'tips', %s, %s, 300, 'INR', 'deposit', 'machine', %s)",
                [ASHA, *(machine or ()), pair[0], NOW.date()],
            ).fetchone() or (None,)
        again = deposit_cash(request, now=NOW)
        assert (again.replayed, again.transfer_id) == (True, booked)


class TestHold:
    @pytest.mark.parametrize("serials", [(1, 2), (2, 1)])
    def test_keeps_its_payee_from_moving_while_it_is_placed(
        self, branches: Branches, serials: tuple[int, int]
    ) -> None:
        payer, payee = held_at(MUM, serials[0], balance=1_000), held_at(MUM, serials[1])
        refused: list[str] = []

        def go() -> None:
            try:
                move(payee, DEL)
            except DomainError as error:
                refused.append(error.code)
            finally:
                connections.close_all()

        going = Thread(target=go)
        with transaction.atomic(using=MUM):
            posting.hold(
                account=payer,
                payee=payee,
                amount=inr(100),
                expires_at=NOW.replace(year=2100) + timedelta(days=1),
                order=order(),
                using=MUM,
            )
            going.start()
            wait_for_a_waiter(branches.mumbai)
        going.join()
        assert refused == ["hold_open"]


def wait_for_a_waiter(urls: BankUrls) -> None:
    """Wait until a statement in a database waits for a lock."""
    waiting = (
        "SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = monotonic() + 20
    with psycopg.connect(urls.app, autocommit=True) as connection:
        while connection.execute(waiting).rowcount == 0:
            assert monotonic() < deadline, "nobody waits"
            sleep(0.02)
