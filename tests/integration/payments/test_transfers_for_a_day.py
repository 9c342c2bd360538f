"""Transfers for a day to come: left now, sent once when the day begins, tried until it ends."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import User
from core.api.step_up import StepUp
from core.errors import DomainError
from tests.factories import customer_account, inr
from tests.integration.payments.conftest import by_key
from transactions.ledger.codes import Refused
from transactions.ledger.posting import Channel
from transactions.ledger.reads import balances
from transactions.payments.later import leave_for_day
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import LONGEST_WAIT, send_due_transfers
from transactions.services import TransferRequest

pytestmark = pytest.mark.usefixtures("shared_bank")

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
DAY = date(2026, 5, 20)
BEGINS = datetime(2026, 5, 19, 18, 30, tzinfo=UTC)
LAST_TRY = BEGINS + timedelta(hours=23, minutes=59)


def left(
    user: User, debit: int, credit: int, *, day: date = DAY, key: str = "once", minor: int = 50_000
) -> ScheduledTransfer:
    """Leave a transfer for a day."""
    request = TransferRequest(
        user=user.pk, key=key, channel=Channel.WEB, debit=debit, credit=credit, amount=inr(minor)
    )
    nothing = StepUp(fingerprint="", challenge=None, code=None)
    return leave_for_day(by_key(user), request, day=day, step_up=lambda: nothing, now=NOW)


def balance_of(number: int) -> int:
    """Return what is in an account."""
    return balances([number])[0].balance


def test_it_is_sent_once_when_its_day_begins(asha: User, mine: int, theirs: int) -> None:
    assert left(asha, mine, theirs) == left(asha, mine, theirs)
    assert send_due_transfers(now=BEGINS - timedelta(seconds=1)) == 0
    assert [send_due_transfers(now=BEGINS) for _ in range(2)] == [1, 0]
    assert balance_of(theirs) == 50_000


def test_it_lacks_money_until_its_day_ends(asha: User, theirs: int) -> None:
    poor = customer_account(asha)
    one = left(asha, poor, theirs)
    send_due_transfers(now=BEGINS)
    one.refresh_from_db()
    assert (one.state, one.reason) == ("waiting", "There is not enough money in the account.")
    send_due_transfers(now=LAST_TRY)
    one.refresh_from_db()
    assert one.state == "refused"


def test_what_is_in_doubt_is_asked_again_for_as_long_as_keys_are_kept(
    asha: User, mine: int, theirs: int
) -> None:
    one = left(asha, mine, theirs)
    ScheduledTransfer.objects.filter(pk=one.pk).update(state="sending", tried_at=BEGINS)
    assert send_due_transfers(now=BEGINS + LONGEST_WAIT) == 0
    assert send_due_transfers(now=BEGINS + LONGEST_WAIT - timedelta(seconds=1)) == 1
    one.refresh_from_db()
    assert one.state == "done"


def test_it_is_given_up_when_it_waited_that_long(asha: User, mine: int, theirs: int) -> None:
    one = left(asha, mine, theirs)
    send_due_transfers(now=BEGINS + LONGEST_WAIT)
    one.refresh_from_db()
    assert (one.state, balance_of(theirs)) == ("refused", 0)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 3, 2), "day_not_ahead"),
        (date(2025, 3, 2), "day_not_ahead"),
        (date(2027, 3, 4), "day_too_far"),
        (date(9999, 12, 31), "day_too_far"),
    ],
)
def test_it_takes_days_to_come_only(
    asha: User, mine: int, theirs: int, day: date, code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        left(asha, mine, theirs, day=day)
    assert (refused.value.code, refused.value.field) == (code, "day")
    assert not ScheduledTransfer.objects.filter(user=asha).exists()


def test_one_form_leaves_one(asha: User, mine: int, theirs: int) -> None:
    left(asha, mine, theirs)
    for change in ({"day": DAY + timedelta(days=1)}, {"minor": 1}):
        with pytest.raises(Refused):
            left(asha, mine, theirs, **change)
    assert ScheduledTransfer.objects.get(user=asha).due_date == DAY
