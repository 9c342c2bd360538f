"""What happens in the ledger of any node becomes events: each once, for those it concerns."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections

from accounts.models import User, UserStatus
from accounts.numbers import account_number
from bankproject.runtime.postgres import BankUrls
from core.clock import now
from notifications.webhooks.endpoints import delete_endpoint
from notifications.webhooks.events import NewEvent, record_events
from notifications.webhooks.models import Delivery, Endpoint, Event, EventType
from tests.branches import DEL, MUM, Branches
from tests.factories import account, inr, order
from tests.integration.ledger.raw import (
    is_on_disk,
    log_written_late,
    post_ahead_of_the_disk,
    post_on,
)
from tests.integration.webhooks.conftest import Registering, listener
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.agreement import copy_account
from transactions.branches.moving import move_account
from transactions.branches.registry import HEAD_OFFICE
from transactions.chart import Place, open_chart
from transactions.events import feed_events
from transactions.ledger.accounts import (
    CustomerOpening,
    Status,
    open_customer,
    set_holder,
    set_status,
)
from transactions.ledger.posting import Kind, Transfer, capture, hold, post, release, reverse
from transactions.services import Channel, TransferRequest, transfer_funds

HERE = HEAD_OFFICE


def feed(*nodes: str) -> None:
    """Feed all that is committed by now."""
    for node in nodes or (HERE,):
        wait_for_others(node)
        feed_events(node=node, now=now())


def wait_for_others(node: str) -> None:
    """Wait until no transaction of others on the server holds this node's tailers back."""
    deadline = time.monotonic() + 30
    with connections[node].cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        (end,) = cursor.fetchone()
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %s::xid8", [end])
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("others' transactions do not end")


def told(*, to: User | None = None) -> list[tuple[str, str]]:
    """Return the types of all events with the accounts they are about, in order."""
    events = Event.objects.order_by("occurred_at", "type")
    if to is not None:
        events = events.filter(owner=to)
    return [(event.type, event.data.get("account", "")) for event in events]


def test_is_on_disk_where_it_happened_before_it_is_told(
    fresh_bank: BankUrls,
    server: TestServer,
    register: Registering,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asha = listener()
    payer, payee = account(balance=1_000, owner=asha), account()
    register(asha)
    feed()
    found: list[bool] = []

    def look(events: Sequence[NewEvent], *, now: datetime) -> None:
        found.append(is_on_disk(fresh_bank.app, place))
        record_events(events, now=now)

    monkeypatch.setattr("transactions.events.record_events", look)
    with log_written_late(server):
        place = post_ahead_of_the_disk(fresh_bank.app, payer, payee)
        while not found:
            feed_events(node=HERE, now=now())
    assert found == [True]


@pytest.mark.usefixtures("fresh_bank")
class TestPosting:
    def test_is_told_to_both_sides_as_each_may_see_it(self, register: Registering) -> None:
        asha, ravi = listener(), listener()
        payer, payee = account(balance=1_000, owner=asha), account(owner=ravi)
        for each in (asha, ravi):
            register(each, path=f"/{each.pk}")
        feed()
        Event.objects.all().delete()
        posted = post(Transfer(payer, payee, inr(250), memo="rent"), order=order()).transfer_id
        feed()
        (out,) = Event.objects.filter(owner=asha)
        (into,) = Event.objects.filter(owner=ravi)
        assert (out.type, into.type) == ("transfer.debited", "transfer.credited")
        assert out.data | {"recorded_at": "", "event_at": ""} == {
            "id": str(posted),
            "account": str(payer),
            "balance_after": "7.50",
            "debit_account": str(payer),
            "credit_account": str(payee),
            "amount": "2.50",
            "currency": "INR",
            "kind": "transfer",
            "channel": "api",
            "memo": "rent",
            "recorded_at": "",
            "event_at": "",
        }
        assert (into.data["account"], into.data["balance_after"]) == (str(payee), "2.50")

    def test_that_is_a_reversal_is_told_to_each_once(self, register: Registering) -> None:
        asha = listener()
        mine = account(balance=1_000, owner=asha), account(owner=asha)
        register(asha, EventType.TRANSFER_REVERSED)
        posted = post(Transfer(*mine, inr(100)), order=order()).transfer_id
        back = reverse(posted, order=order())
        feed()
        (event,) = Event.objects.all()
        assert (event.data["id"], event.data["reverses"]) == (str(back), str(posted))

    def test_is_told_to_every_holder_and_to_nobody_else(self, register: Registering) -> None:
        asha, ravi, stranger, former = (listener() for _each in range(4))
        joint = account(owner=asha)
        set_holder(joint, user=ravi.pk, rights="authorised", client=0)
        set_holder(joint, user=former.pk, rights="owner", client=0)
        set_holder(joint, user=former.pk, rights=None, client=0)
        for each in (asha, ravi, stranger, former):
            register(each, path=f"/{each.pk}")
        post(Transfer(account(balance=10), joint, inr(10)), order=order())
        feed()
        assert set(Event.objects.values_list("owner", flat=True)) == {asha.pk, ravi.pk}

    def test_is_not_told_to_people_whom_the_bank_has_suspended(self, register: Registering) -> None:
        asha = listener()
        register(asha)
        account(balance=10, owner=asha)
        User.objects.filter(pk=asha.pk).update(status=UserStatus.SUSPENDED, is_active=False)
        feed()
        assert told() == []

    def test_before_an_endpoint_was_there_is_not_told(self, register: Registering) -> None:
        asha = listener()
        account(balance=10, owner=asha)
        register(asha)
        Endpoint.objects.update(created_at=now() + timedelta(hours=1))
        feed()
        assert told() == []

    def test_of_somebody_who_deletes_the_endpoint_meanwhile_is_nobodys(
        self, register: Registering
    ) -> None:
        asha = listener()
        new = register(asha)
        account(balance=10, owner=asha)
        delete_endpoint(asha.pk, endpoint_id=new.endpoint.pk)
        feed()
        assert told() == []


@pytest.mark.usefixtures("fresh_bank")
class TestFeeding:
    def test_again_tells_nothing_again(self, register: Registering, server: TestServer) -> None:
        asha = listener()
        register(asha)
        account(balance=10, owner=asha)
        feed()
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM ledger.tail ORDER BY name")
            assert [row[0] for row in cursor] == [
                "webhooks",
                "webhooks_accounts",
                "webhooks_holds",
            ]
        before = set(Delivery.objects.values_list("pk", flat=True))
        assert len(before) == 1
        forget_cursors(server)
        feed()
        assert set(Delivery.objects.values_list("pk", flat=True)) == before

    def test_that_fails_is_done_whole_the_next_time(
        self, register: Registering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asha = listener()
        register(asha)
        account(balance=10, owner=asha)
        with monkeypatch.context() as broken:
            broken.setattr(Delivery.objects, "bulk_create", lambda *_a, **_o: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                feed()
        assert not Event.objects.exists()
        feed()
        assert Delivery.objects.count() == 1

    def test_waits_for_what_commits_late(self, register: Registering, fresh_bank: BankUrls) -> None:
        asha = listener()
        register(asha)
        pairs = [(account(balance=10), account(owner=asha)) for _twice in range(2)]
        with psycopg.connect(fresh_bank.app) as slow:
            late = post_on(slow, *pairs[0])
            post(Transfer(*pairs[1], inr(1)), order=order())
            feed_events(node=HERE, now=now())
            assert told() == []
            slow.commit()
        feed()
        ids = {UUID(event.data["id"]) for event in Event.objects.all()}
        assert late in ids
        assert len(ids) == Event.objects.count() == 2

    @pytest.mark.parametrize(
        "change",
        [
            "SELECT ledger.set_status_v1(%(account)s, 'frozen', 0, 'test')",
            (
                "SELECT ledger.hold_v1(0, %(account)s::text, %(account)s, %(payee)s, 1, 'INR', "
                "now() + interval '1 day', current_date)"
            ),
        ],
        ids=["status", "hold"],
    )
    def test_waits_for_changes_that_commit_late(
        self, register: Registering, fresh_bank: BankUrls, change: LiteralString
    ) -> None:
        asha = listener()
        register(asha, EventType.HOLD_PLACED, EventType.ACCOUNT_STATUS_CHANGED)
        first, second = (account(balance=10, owner=asha) for _twice in range(2))
        payee = account()
        with psycopg.connect(fresh_bank.app) as slow, psycopg.connect(fresh_bank.app) as fast:
            slow.execute(change, {"account": first, "payee": payee})
            fast.execute(change, {"account": second, "payee": payee})
            fast.commit()
            feed_events(node=HERE, now=now())
            assert told() == []
            slow.commit()
        feed()
        assert {number for _kind, number in told()} == {str(first), str(second)}

    def test_of_many_pages_ends(
        self, register: Registering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("transactions.events._PAGE", 2)
        asha = listener()
        register(asha)
        mine = account(owner=asha)
        for _each in range(5):
            post(Transfer(account(balance=1), mine, inr(1)), order=order())
        feed()
        assert len(told()) == 5

    def test_of_a_node_that_never_rests_ends(
        self, register: Registering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asha = listener()
        register(asha)
        mine = account(owner=asha)
        recorded: list[int] = []

        def record(events: Collection[NewEvent], *, now: datetime) -> None:
            record_events(events, now=now)
            recorded.append(len(recorded))
            if len(recorded) < 5:
                post(Transfer(account(balance=1), mine, inr(1)), order=order())

        monkeypatch.setattr("transactions.events.record_events", record)
        post(Transfer(account(balance=1), mine, inr(1)), order=order())
        wait_for_others(HERE)
        feed_events(node=HERE, now=now())
        assert len(told()) == 1

    def test_without_listeners_only_moves_on(self, register: Registering) -> None:
        asha = listener()
        account(balance=10, owner=asha)
        feed()
        register(asha)
        feed()
        assert told() == []


def forget_cursors(server: TestServer) -> None:
    """Begin anew, as a feeder does that died before it could note how far it had come."""
    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(server.superuser_url(name)) as superuser:
        superuser.execute("DELETE FROM ledger.tail")


@pytest.mark.usefixtures("fresh_bank")
class TestAccount:
    def test_tells_when_its_status_changes(self, register: Registering) -> None:
        asha = listener()
        mine = account(owner=asha)
        register(asha)
        for status in (Status.FROZEN, Status.FROZEN, Status.OPEN):
            set_status(mine, status=status, client=0, key=None, reason="a reason of the bank's")
        feed()
        changes = [
            (event.data["status_before"], event.data["status"])
            for event in Event.objects.order_by("occurred_at")
        ]
        assert changes == [("open", "frozen"), ("frozen", "open")]
        assert "reason" not in Event.objects.all()[0].data


@pytest.mark.usefixtures("fresh_bank")
class TestHold:
    def place(self, owner: User) -> UUID:
        payer, payee = account(balance=1_000, owner=owner), account()
        return hold(
            account=payer,
            payee=payee,
            amount=inr(500),
            expires_at=now() + timedelta(days=1),
            order=order(),
        ).hold_id

    @pytest.mark.parametrize(
        ("end", "expected"),
        [
            (lambda held: capture(held, minor=300, order=order()), "hold.captured"),
            (lambda held: release(held, order=order()), "hold.released"),
        ],
    )
    @pytest.mark.parametrize("is_fed_between", [True, False])
    def test_tells_of_its_beginning_and_its_end(
        self,
        register: Registering,
        end: Callable[[UUID], object],
        expected: str,
        is_fed_between: bool,  # noqa: FBT001  # a parameter of the test
    ) -> None:
        asha = listener()
        register(asha, EventType.HOLD_PLACED, EventType.HOLD_CAPTURED, EventType.HOLD_RELEASED)
        held = self.place(asha)
        if is_fed_between:
            feed()
            assert [kind for kind, _account in told()] == ["hold.placed"]
        end(held)
        feed()
        placed, ended = Event.objects.order_by("occurred_at")
        assert (placed.type, ended.type) == ("hold.placed", expected)
        assert placed.data["amount"] == ended.data["amount"] == "5.00"
        if expected == "hold.captured":
            assert ended.data["captured"] == "3.00"
            assert UUID(ended.data["transfer"])


class TestNodes:
    def test_are_fed_each_by_its_own_journal(
        self, branches: Branches, register: Registering
    ) -> None:
        assert branches
        asha, ravi = listener(), listener()
        payer = customer(MUM, 1, owner=asha, balance=1_000)
        payee = customer(DEL, 2, owner=ravi)
        for each in (asha, ravi):
            register(each, path=f"/{each.pk}")
        sent = transfer_funds(
            TransferRequest(
                user=asha.pk,
                key="k",
                channel=Channel.API,
                debit=payer,
                credit=payee,
                amount=inr(100),
                memo=None,
            ),
            now=now(),
        )
        for _again in range(2):
            feed(HERE, MUM, DEL)
        assert told(to=ravi) == [("transfer.credited", str(payee))]
        out = Event.objects.get(owner=asha, type="transfer.debited")
        into = Event.objects.get(owner=ravi)
        assert out.data["id"] == str(sent.transfer_id)
        for event in (out, into):
            assert event.data["debit_account"] == str(payer)
            assert event.data["credit_account"] == str(payee)

    def test_whose_account_has_moved_away_are_still_told_of_what_was_before(
        self, branches: Branches, register: Registering
    ) -> None:
        assert branches
        asha = listener()
        register(asha)
        mine = customer(MUM, 1, owner=asha, balance=1_000)
        copy_account(mine)
        move_account(mine, code=DEL, client=0)
        feed(HERE, MUM, DEL)
        assert [kind for kind, _account in told()] == ["transfer.credited"]

    def test_wait_for_the_head_office_and_lose_nothing(
        self, branches: Branches, register: Registering, server: TestServer
    ) -> None:
        asha = listener()
        register(asha)
        customer(MUM, 1, owner=asha, balance=1_000)
        with node_down(server, branches.head_office), pytest.raises(Exception, match="connect"):
            feed(MUM)
        feed(MUM)
        assert [kind for kind, _account in told()] == ["transfer.credited"]


def customer(node: str, serial: int, *, owner: User, balance: int = 0) -> int:
    """Open a customer's account on a node, with money in it."""
    branch = {MUM: 201, DEL: 202}[node]
    number = account_number(branch=branch, serial=serial)
    opening = CustomerOpening(
        number=number, currency="INR", product="current", opened_at=now(), owner=owner.pk
    )
    open_customer(opening, client=0, key=None, using=node)
    if balance:
        vault = open_chart(branch=branch, currency="INR", using=node).number(Place.VAULT)
        deposit = Transfer(vault, number, inr(balance), Kind.DEPOSIT)
        post(deposit, order=order(), using=node)
    return number
