"""Endpoints: disabled, enabled and tried; their history; and sending an event once more."""

from datetime import timedelta
from functools import partial

import pytest
from django.core import mail
from pytest_django import Settings

from accounts.models import User
from core.clock import now
from notifications.webhooks.claims import note_outcome
from notifications.webhooks.deliveries import (
    EndpointDisabled,
    UnknownDelivery,
    deliveries_to,
    position_of,
    redeliver,
    send_test,
)
from notifications.webhooks.endpoints import change_endpoint
from notifications.webhooks.events import forget_events
from notifications.webhooks.models import Attempt, Delivery, Endpoint, EventType
from notifications.webhooks.telling import tell_owners
from tests.integration.webhooks.conftest import (
    Clock,
    Delivering,
    Registering,
    happen,
    listener,
    outcome,
    take,
)
from tests.receiver import Message, Receiver, Reply

pytestmark = pytest.mark.django_db


def answer(status: int, _message: Message) -> Reply:
    return Reply(status=status)


class TestEndpoint:
    def test_that_is_gone_is_disabled_and_its_owner_told(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        register(owner)
        happen(owner)
        receiver.answering = lambda _message: Reply(status=410)
        deliver()
        assert (Endpoint.objects.get().state, Delivery.objects.get().state) == ("gone", "failed")
        tell_owners()
        tell_owners()
        (sent,) = mail.outbox
        assert sent.to == [owner.email]
        assert receiver.address in sent.body
        assert "410" in sent.body

    def test_that_fails_for_days_is_disabled_and_its_owner_told(
        self,
        owner: User,
        register: Registering,
        receiver: Receiver,
        deliver: Delivering,
        clock: Clock,
    ) -> None:
        register(owner)
        receiver.answering = lambda _message: Reply(status=503)
        happen(owner)
        deliver()
        clock.pass_(days=5.1)
        deliver()
        assert Endpoint.objects.get().state == "failing"
        tell_owners()
        assert "has taken no message since" in mail.outbox[0].body

    def test_that_works_now_and_then_stays(
        self,
        owner: User,
        register: Registering,
        receiver: Receiver,
        deliver: Delivering,
        clock: Clock,
    ) -> None:
        register(owner)
        for status in (503, 200, 503):
            receiver.answering = partial(answer, status)
            happen(owner)
            deliver()
            clock.pass_(days=4)
        assert Endpoint.objects.get().state == "enabled"

    def test_is_sent_nothing_while_it_is_disabled_and_what_is_left_afterwards(
        self, owner: User, register: Registering, deliver: Delivering
    ) -> None:
        endpoint = register(owner).endpoint
        happen(owner, source="waits")
        happen(owner, source="is too old")
        Delivery.objects.filter(pk=Delivery.objects.last().pk).update(  # type: ignore[union-attr]
            created_at=now() - timedelta(days=3, seconds=1)
        )
        change_endpoint(owner.pk, endpoint_id=endpoint.pk, is_enabled=False, now=now())
        happen(owner, source="is not kept")
        assert deliver() == 0
        with pytest.raises(EndpointDisabled):
            send_test(owner.pk, endpoint_id=endpoint.pk, now=now())
        change_endpoint(owner.pk, endpoint_id=endpoint.pk, is_enabled=True, now=now())
        assert deliver() == 1
        assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered", "failed"]

    def test_is_sent_a_test(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        endpoint = register(owner, EventType.HOLD_PLACED).endpoint
        send_test(owner.pk, endpoint_id=endpoint.pk, now=now())
        deliver()
        assert b'"type":"webhook.test"' in receiver.messages[0].body

    def test_whose_owner_cannot_be_told_now_is_told_later(
        self, owner: User, register: Registering, settings: Settings
    ) -> None:
        register(owner)
        Endpoint.objects.update(state="gone", is_owner_told=False)
        works = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        tell_owners()
        settings.EMAIL_BACKEND = works
        tell_owners()
        assert len(mail.outbox) == 1


class TestHistory:
    def test_is_listed_page_by_page_newest_first(self, owner: User, register: Registering) -> None:
        endpoint = register(owner).endpoint
        for _each in range(5):
            happen(owner)
        seen: list[Delivery] = []
        after = None
        while page := deliveries_to(owner.pk, endpoint_id=endpoint.pk, after=after, limit=2):
            seen += page
            after = position_of(page[-1])
        assert len({delivery.pk for delivery in seen}) == len(seen) == 5
        assert seen == sorted(seen, key=lambda one: (one.created_at, one.pk), reverse=True)

    def test_is_forgotten_after_its_time(self, owner: User, register: Registering) -> None:
        register(owner)
        happen(owner)
        note_outcome(take()[0], outcome(200))
        assert forget_events(before=now() - timedelta(days=30)) == 0
        assert forget_events(before=now()) == 1
        assert not Attempt.objects.exists()
        assert Endpoint.objects.exists()


class TestRedelivery:
    def test_sends_the_same_event_again_under_its_id(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        register(owner)
        happen(owner)
        deliver()
        redeliver(owner.pk, delivery_id=Delivery.objects.get().pk, now=now())
        assert deliver() == 1
        first, again = receiver.messages
        assert (first.id, first.body) == (again.id, again.body)
        assert Delivery.objects.count() == 2

    def test_sends_what_waits_now(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        register(owner)
        happen(owner)
        receiver.answering = lambda _message: Reply(status=500)
        deliver()
        waiting = Delivery.objects.get()
        for _twice in range(2):
            assert redeliver(owner.pk, delivery_id=waiting.pk, now=now()) == waiting
        assert deliver() == 1
        assert Delivery.objects.count() == 1

    def test_is_for_ones_own_only(self, owner: User, register: Registering) -> None:
        register(owner)
        happen(owner)
        with pytest.raises(UnknownDelivery):
            redeliver(listener().pk, delivery_id=Delivery.objects.get().pk, now=now())
