"""Reports read the replica, at a position that has all of their time."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from core import clock
from core.db import aliases
from core.db.addresses import database_settings
from tests.branches import DEL, MUM
from tests.factories import inr, person
from tests.integration.replica.bank import customer
from tests.integration.replica.conftest import eventually
from tests.integration.replica.test_routing import beat
from transactions.branches.outcomes import BranchDown
from transactions.ledger.posting import Channel
from transactions.reporting import snapshots
from transactions.reporting.month import Month, month_of_money
from transactions.reporting.people import activity_of_people
from transactions.reporting.snapshots import PositionNotReached, one_position
from transactions.services import TransferRequest, transfer_funds


def has_all_until(at: datetime) -> bool:
    """Tell whether the replica would be read for what ended at an instant."""
    try:
        with one_position(until=at, now=clock.now()):
            return True
    except PositionNotReached:
        return False


@pytest.mark.usefixtures("replicated")
def test_once_every_node_was_heard_of_after_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asha = person()
    payer, payee = customer(MUM, user=asha.pk), customer(DEL, user=asha.pk)
    request = TransferRequest(
        user=asha.pk,
        key=str(uuid4()),
        channel=Channel.API,
        debit=payer,
        credit=payee,
        amount=inr(700),
    )
    transfer_funds(request, now=clock.now())
    beat()
    now = clock.now()
    assert not has_all_until(now)
    assert eventually(lambda: has_all_until(now - timedelta(hours=1)))
    monkeypatch.setattr(snapshots, "LONGEST_POSTING", timedelta(0))
    beat()
    assert eventually(lambda: has_all_until(now))

    month = Month(clock.bank_day(now).replace(day=1))
    with one_position(until=now, now=clock.now()) as found:
        assert len(found.ledgers) == 1
        money = month_of_money(found.ledgers, month)
        with pytest.raises(Exception, match="read-only"):
            found.people.execute("DELETE FROM accounts_login")
    # With the ₹100 that each had paid in.
    paid = {one.branch: one.amount for one in money.volumes}
    assert paid == {payer // 10**9: inr(10_700), payee // 10**9: inr(10_000)}
    # Both sides are there: nothing is on its way.
    assert money.in_transit == [inr(0)]

    assert eventually(lambda: bool(activity_of_people(month, now=clock.now())[0]))
    (shown,), _until = activity_of_people(month, now=clock.now())
    assert (shown.name, shown.movements) == (asha.full_name, 4)
    assert (shown.credits, shown.debits) == (inr(20_700), inr(700))
    assert abs(shown.last_at - now) < timedelta(minutes=5)

    nowhere = database_settings(
        "postgresql://nobody@127.0.0.1:9/nothing", name="", allow_plaintext=False
    )
    aliases.remove(aliases.REPLICA)
    aliases.add(aliases.REPLICA, nowhere)
    with pytest.raises(BranchDown):
        has_all_until(now)
