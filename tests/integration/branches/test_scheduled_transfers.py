"""Transfers left with the bank while a branch is down: sent once, refused, or cancelled before."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections

from accounts.models import User
from core import clock
from core.errors import DomainError
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, instant, person
from tests.integration.branches.test_crossing import account_at, balance_of
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import rounds
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.chart import BankAccounts, Place
from transactions.ledger.accounts import set_holder
from transactions.ledger.codes import Refused
from transactions.ledger.posting import BANK_CLIENT, Channel
from transactions.payments import paying_in, scheduling
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import (
    LONGEST_WAIT,
    NotCancellable,
    UnknownScheduledTransfer,
    cancel_transfer,
    queue_transfer,
    scheduled_transfers_of,
    send_due_transfers,
)
from transactions.services import Receipt, TransferRequest, transfer_funds
from transactions.upkeep import run_upkeep

NOW = instant()
LATER = NOW + timedelta(minutes=1)
State = ScheduledTransfer.State


@pytest.fixture
def asha(branches: Branches) -> User:
    """Give a customer."""
    assert branches
    return person()


@pytest.fixture
def mine(asha: User) -> int:
    """Return the customer's account in Mumbai, with ₹10."""
    number = account_at(MUM, 1, balance=1_000)
    set_holder(number, user=asha.pk, rights="owner", client=BANK_CLIENT, using=MUM)
    return number


@pytest.fixture
def theirs(branches: Branches) -> int:
    """Return an empty account in Delhi."""
    assert branches
    return account_at(DEL, 1)


def wish(
    user: User, debit: int, credit: int, *, minor: int = 400, key: str = ""
) -> TransferRequest:
    """Return a wish to send rupees."""
    return TransferRequest(
        user=user.pk,
        key=key or str(uuid4()),
        channel=Channel.WEB,
        debit=debit,
        credit=credit,
        amount=inr(minor),
    )


def state_of(scheduled: ScheduledTransfer) -> str:
    """Return how far a scheduled transfer is."""
    scheduled.refresh_from_db()
    return scheduled.state


class TestAWaitingTransfer:
    def test_is_sent_once_when_the_branch_is_back(
        self, asha: User, mine: int, theirs: int, branches: Branches, server: TestServer
    ) -> None:
        request = wish(asha, mine, theirs)
        with node_down(server, branches.delhi):
            with pytest.raises(BranchDown):
                transfer_funds(request, now=NOW)
            scheduled = queue_transfer(request, now=NOW)
            assert send_due_transfers(now=NOW) == 0
            assert state_of(scheduled) == State.WAITING
            assert "DEL cannot be reached" in scheduled.reason
        assert send_due_transfers(now=NOW) == 0
        assert send_due_transfers(now=LATER) == 1
        assert state_of(scheduled) == State.DONE
        assert scheduled.reason == ""
        assert send_due_transfers(now=LATER + timedelta(days=1)) == 0
        assert (balance_of(MUM, mine), balance_of(DEL, theirs)) == (600, 400)

    def test_does_not_keep_those_to_other_branches_waiting(
        self,
        asha: User,
        mine: int,
        theirs: int,
        branches: Branches,
        server: TestServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(rounds, "_PAGE", 20)
        with node_down(server, branches.delhi):
            waiting = [queue_transfer(wish(asha, mine, theirs), now=NOW) for _ in range(2)]
            ScheduledTransfer.objects.bulk_create(
                ScheduledTransfer(
                    user=asha,
                    key=str(number),
                    debit=mine,
                    credit=theirs,
                    amount=1,
                    currency="INR",
                    not_before=NOW,
                    queued_at=NOW,
                )
                for number in range(50)
            )
            local = queue_transfer(wish(asha, mine, account_at(MUM, 2)), now=NOW)
            assert send_due_transfers(now=NOW) == 1
        assert state_of(local) == State.DONE
        assert [state_of(one) for one in waiting] == [State.WAITING] * 2
        assert [one.tried_at is None for one in waiting] == [False, True]

    def test_is_sent_once_by_many_who_try_at_once(self, asha: User, mine: int, theirs: int) -> None:
        for _ in range(2):
            queue_transfer(wish(asha, mine, theirs), now=NOW)
        barrier = threading.Barrier(8)

        def send(_number: int) -> int:
            barrier.wait()
            try:
                return send_due_transfers(now=NOW)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(send, range(8))) == 2
        assert (balance_of(MUM, mine), balance_of(DEL, theirs)) == (200, 800)

    def test_is_sent_by_watch(self, asha: User, mine: int, theirs: int) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=clock.now())
        end = time.monotonic() + 10
        while state_of(scheduled) != State.DONE and time.monotonic() < end:
            run_upkeep(now=clock.now())
        assert state_of(scheduled) == State.DONE

    def test_is_refused_with_the_reason_when_it_can_never_be_sent(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs, minor=1_001), now=NOW)
        assert send_due_transfers(now=NOW) == 0
        assert state_of(scheduled) == State.REFUSED
        assert scheduled.reason == "There is not enough money in the account."
        assert send_due_transfers(now=LATER) == 0

    def test_is_given_up_before_its_key_is_forgotten(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)
        assert send_due_transfers(now=NOW + LONGEST_WAIT) == 0
        assert state_of(scheduled) == State.REFUSED
        assert "within 30 days" in scheduled.reason
        assert balance_of(MUM, mine) == 1_000

    def test_waits_for_its_time(self, asha: User, mine: int, theirs: int) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)
        ScheduledTransfer.objects.update(not_before=LATER)
        assert send_due_transfers(now=NOW) == 0
        assert send_due_transfers(now=LATER) == 1
        assert state_of(scheduled) == State.DONE


class TestATryWithoutAnAnswer:
    def lose_the_answer(self, patch: pytest.MonkeyPatch, *, is_sent: bool) -> None:
        """Let a try end without an answer, after the money moved or before."""

        def send(request: TransferRequest, *, now: datetime) -> None:
            if is_sent:
                transfer_funds(request, now=now)
            raise OutcomeUnknown

        patch.setattr(paying_in, "transfer_funds", send)

    @pytest.mark.parametrize("is_sent", [True, False])
    def test_is_asked_again_and_moves_money_once(
        self,
        asha: User,
        mine: int,
        theirs: int,
        monkeypatch: pytest.MonkeyPatch,
        *,
        is_sent: bool,
    ) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)
        with monkeypatch.context() as patch:
            self.lose_the_answer(patch, is_sent=is_sent)
            assert send_due_transfers(now=NOW) == 0
        assert state_of(scheduled) == State.SENDING
        with pytest.raises(NotCancellable, match="being sent this very moment"):
            cancel_transfer(asha.pk, scheduled=scheduled.pk)
        assert send_due_transfers(now=NOW + timedelta(minutes=1)) == 0
        assert send_due_transfers(now=NOW + timedelta(minutes=3)) == 1
        assert state_of(scheduled) == State.DONE
        assert (balance_of(MUM, mine), balance_of(DEL, theirs)) == (600, 400)

    def test_that_another_one_took_over_is_left_beyond_cancelling_for_lack_of_money(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        """Whoever tried before may be at it still, and may find the money."""
        scheduled = queue_transfer(wish(asha, mine, theirs, minor=1_001), now=NOW)
        ScheduledTransfer.objects.update(
            state=State.SENDING, tried_at=NOW, retry_until=NOW + timedelta(hours=5)
        )
        assert send_due_transfers(now=NOW + timedelta(minutes=3)) == 0
        assert state_of(scheduled) == State.SENDING
        assert "not enough money" in scheduled.reason
        with pytest.raises(NotCancellable):
            cancel_transfer(asha.pk, scheduled=scheduled.pk)
        ScheduledTransfer.objects.update(amount=1_000)
        assert send_due_transfers(now=NOW + timedelta(minutes=30)) == 0
        assert send_due_transfers(now=NOW + timedelta(minutes=90)) == 1
        assert state_of(scheduled) == State.DONE

    def test_in_a_round_of_minutes_is_taken_over_by_nobody_while_it_is_fresh(
        self, asha: User, mine: int, theirs: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            queue_transfer(wish(asha, mine, theirs), now=NOW)
        passed = 0.0
        by_others: list[int] = []

        def send(request: TransferRequest, *, now: datetime) -> Receipt:
            nonlocal passed
            if passed:
                by_others.append(send_due_transfers(now=NOW + timedelta(seconds=passed)))
            passed = 180.0
            return transfer_funds(request, now=now)

        monkeypatch.setattr(scheduling, "monotonic", lambda: passed)
        monkeypatch.setattr(paying_in, "transfer_funds", send)
        assert send_due_transfers(now=NOW) == 2
        assert by_others == [0]

    def test_is_known_to_be_sent_by_the_one_who_sent_it(
        self, asha: User, mine: int, theirs: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another one took over meanwhile: that the money moved is true all the same."""
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)

        def send(request: TransferRequest, *, now: datetime) -> Receipt:
            ScheduledTransfer.objects.update(tried_at=LATER)
            return transfer_funds(request, now=now)

        monkeypatch.setattr(paying_in, "transfer_funds", send)
        assert send_due_transfers(now=NOW) == 1
        assert state_of(scheduled) == State.DONE


class TestLeavingOneWithTheBank:
    def test_twice_leaves_one(self, asha: User, mine: int, theirs: int) -> None:
        request = wish(asha, mine, theirs)
        assert queue_transfer(request, now=NOW) == queue_transfer(request, now=LATER)
        with pytest.raises(Refused) as refused:
            queue_transfer(wish(asha, mine, theirs, minor=5, key=request.key), now=NOW)
        assert refused.value.code == "key_reused"
        assert ScheduledTransfer.objects.count() == 1

    def test_is_refused_from_accounts_of_others_and_to_the_banks_own(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        vault = BankAccounts(201, "INR").number(Place.VAULT)
        for request, code in (
            (wish(person(), mine, theirs), "unknown_debit_account"),
            (wish(asha, mine, vault), "unknown_credit_account"),
        ):
            with pytest.raises(DomainError) as refused:
                queue_transfer(request, now=NOW)
            assert refused.value.code == code
        assert not ScheduledTransfer.objects.exists()


class TestCancelling:
    def test_ends_one_that_waits(self, asha: User, mine: int, theirs: int) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)
        cancel_transfer(asha.pk, scheduled=scheduled.pk)
        assert send_due_transfers(now=LATER) == 0
        assert [one.state for one in scheduled_transfers_of(asha.pk, limit=5)] == [State.CANCELLED]
        assert balance_of(MUM, mine) == 1_000

    def test_is_too_late_for_one_that_was_sent(self, asha: User, mine: int, theirs: int) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)
        send_due_transfers(now=NOW)
        with pytest.raises(NotCancellable, match="was sent already"):
            cancel_transfer(asha.pk, scheduled=scheduled.pk)
        assert state_of(scheduled) == State.DONE

    def test_is_for_its_own_person_alone(self, asha: User, mine: int, theirs: int) -> None:
        scheduled = queue_transfer(wish(asha, mine, theirs), now=NOW)
        with pytest.raises(UnknownScheduledTransfer):
            cancel_transfer(person().pk, scheduled=scheduled.pk)
        assert state_of(scheduled) == State.WAITING
