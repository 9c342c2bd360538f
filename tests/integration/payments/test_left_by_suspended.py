"""What people left with the bank who are suspended since, or closed: no money of theirs leaves."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User, UserStatus
from accounts.status import change_person_status
from tests.factories import customer_account, person
from tests.integration.payments.test_transfers_for_a_day import BEGINS, balance_of, left
from transactions.ledger.posting import Channel, Receipt
from transactions.payments import paying_in
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import send_due_transfers
from transactions.services import TransferRequest, transfer_funds

pytestmark = pytest.mark.django_db


def become(user: User, status: UserStatus) -> None:
    """Let a person be suspended, or let in again."""
    admin = person(role="admin", is_staff=True)
    change_person_status(user.pk, status=status, changed_by=admin, reason="a stranger had the code")


class TestOfASuspendedPerson:
    def test_one_is_held_and_sent_once_when_they_are_let_in_that_day(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        one = left(asha, mine, theirs)
        become(asha, UserStatus.SUSPENDED)
        noon = BEGINS + timedelta(hours=12)
        assert [send_due_transfers(now=at) for at in (BEGINS, noon)] == [0, 0]
        one.refresh_from_db()
        assert (one.state, balance_of(theirs)) == ("waiting", 0)
        become(asha, UserStatus.ACTIVE)
        assert [send_due_transfers(now=noon + timedelta(seconds=more)) for more in (1, 9)] == [1, 0]
        assert balance_of(theirs) == 50_000

    def test_one_is_refused_once_its_day_has_ended(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        one = left(asha, mine, theirs)
        become(asha, UserStatus.SUSPENDED)
        for later in (0, 23, 25):
            assert send_due_transfers(now=BEGINS + timedelta(hours=later)) == 0
        one.refresh_from_db()
        assert (one.state, one.reason) == ("refused", "You were suspended until its day had ended.")
        become(asha, UserStatus.ACTIVE)
        assert send_due_transfers(now=BEGINS + timedelta(hours=26)) == 0
        assert balance_of(theirs) == 0

    def test_one_keeps_those_of_others_from_nothing(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        meera = person()
        left(asha, mine, theirs)
        left(meera, customer_account(meera, balance=50_000), theirs)
        become(asha, UserStatus.SUSPENDED)
        assert send_due_transfers(now=BEGINS, most=1) == 1

    def test_one_is_held_though_the_round_had_begun(
        self, asha: User, mine: int, theirs: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for key in ("first", "second"):
            left(asha, mine, theirs, key=key)

        def send(request: TransferRequest, *, now: datetime) -> Receipt:
            become(asha, UserStatus.SUSPENDED)
            return transfer_funds(request, now=now)

        monkeypatch.setattr(paying_in, "transfer_funds", send)
        assert send_due_transfers(now=BEGINS) == 1
        states = {one.key: one.state for one in ScheduledTransfer.objects.all()}
        assert states == {"first": "done", "second": "waiting"}
        assert balance_of(theirs) == 50_000

    def test_one_is_not_asked_for_if_it_was_being_sent(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        one = left(asha, mine, theirs)
        ScheduledTransfer.objects.filter(pk=one.pk).update(state="sending", tried_at=BEGINS)
        become(asha, UserStatus.SUSPENDED)
        late = BEGINS + timedelta(days=2)
        assert send_due_transfers(now=late) == 0
        one.refresh_from_db()
        assert (one.state, balance_of(theirs)) == ("sending", 0)
        become(asha, UserStatus.ACTIVE)
        assert send_due_transfers(now=late) == 1


class TestOfAClosedPerson:
    @pytest.fixture
    def closed(self, asha: User, mine: int, theirs: int) -> ScheduledTransfer:
        """Return what somebody left who is closed since; their account is still open."""
        one = left(asha, mine, theirs)
        User.objects.filter(pk=asha.pk).update(status=UserStatus.CLOSED, is_active=False)
        return one

    def test_one_is_refused(self, closed: ScheduledTransfer, theirs: int) -> None:
        assert send_due_transfers(now=BEGINS) == 0
        closed.refresh_from_db()
        assert (closed.state, closed.reason) == (
            "refused",
            "You were no customer of the bank any more.",
        )
        assert balance_of(theirs) == 0

    def test_one_is_known_to_be_sent_if_it_was(
        self, closed: ScheduledTransfer, theirs: int
    ) -> None:
        request = TransferRequest(
            user=closed.user_id,
            key=closed.key,
            channel=Channel.WEB,
            debit=closed.debit,
            credit=closed.credit,
            amount=closed.money,
        )
        receipt = transfer_funds(request, now=BEGINS)
        ScheduledTransfer.objects.filter(pk=closed.pk).update(state="sending", tried_at=BEGINS)
        assert send_due_transfers(now=BEGINS + timedelta(minutes=3)) == 1
        closed.refresh_from_db()
        assert (closed.state, closed.transfer_id) == ("done", receipt.transfer_id)
        assert balance_of(theirs) == 50_000
