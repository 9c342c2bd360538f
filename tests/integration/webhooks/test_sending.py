"""Deliveries: sent, tried again, given up, and never lost."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.models import User, UserStatus
from core import calls
from core.clock import now
from notifications.tasks import deliver_webhooks
from notifications.webhooks import claims
from notifications.webhooks.claims import claim_due, note_outcome
from notifications.webhooks.deliveries import redeliver
from notifications.webhooks.endpoints import delete_endpoint, rotate_secret
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, EventType
from tests.integration.webhooks.conftest import (
    Clock,
    Delivering,
    Registering,
    happen,
    listener,
    outcome,
    take,
)
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db

CREDITED = EventType.TRANSFER_CREDITED


class TestMessage:
    def test_is_taken_by_another_reader_of_the_standard(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        secret = register(owner, CREDITED).secret
        happen(owner)
        assert deliver() == 1
        (message,) = receiver.messages
        read = Webhook(secret).verify(message.body, dict(message.headers))
        assert (read["type"], read["data"]) == ("transfer.credited", {"memo": "किराया & rent"})
        assert message.id == str(Event.objects.get().pk)
        assert datetime.fromisoformat(read["timestamp"]) == Event.objects.get().occurred_at
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(message.body + b" ", dict(message.headers))

    def test_waits_while_its_owner_is_suspended(
        self, owner: User, register: Registering, deliver: Delivering
    ) -> None:
        register(owner, CREDITED)
        happen(owner)
        mine = User.objects.filter(pk=owner.pk)
        mine.update(status=UserStatus.SUSPENDED, is_active=False)
        assert deliver() == 0
        mine.update(status=UserStatus.ACTIVE, is_active=True)
        assert deliver() == 1

    def test_is_signed_by_both_secrets_for_a_day_after_a_rotation(
        self,
        owner: User,
        register: Registering,
        receiver: Receiver,
        deliver: Delivering,
        clock: Clock,
    ) -> None:
        first = register(owner)
        second = rotate_secret(owner.pk, endpoint_id=first.endpoint.pk, now=now())
        happen(owner)
        deliver()
        for secret in (first.secret, second.secret):
            Webhook(secret).verify(receiver.messages[0].body, dict(receiver.messages[0].headers))
        clock.pass_(days=1)
        happen(owner)
        deliver()
        assert receiver.messages[1].headers["webhook-signature"].count("v1,") == 1

    def test_has_no_secret_that_the_database_tells(
        self, owner: User, register: Registering
    ) -> None:
        secret = register(owner).secret
        kept = bytes(Endpoint.objects.get().secret)
        assert secret.removeprefix("whsec_").encode() not in kept
        assert len(kept) > len(secret)

    def test_is_not_sent_when_the_key_of_the_secrets_is_lost(
        self,
        owner: User,
        register: Registering,
        receiver: Receiver,
        deliver: Delivering,
        settings: Settings,
    ) -> None:
        register(owner)
        happen(owner)
        before = settings.SECRET_KEY
        settings.SECRET_KEY = "another"
        deliver()
        assert (receiver.messages, Attempt.objects.get().failure) == ([], "secret_lost")
        settings.SECRET_KEY_FALLBACKS = [before]
        redeliver(owner.pk, delivery_id=Delivery.objects.get().pk, now=now())
        deliver()
        assert len(receiver.messages) == 1


class TestDelivery:
    def test_is_once_for_each_event_however_often_that_is_recorded(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        register(owner)
        for _again in range(3):
            happen(owner, source="the same")
        assert deliver() == 1
        happen(owner, source="the same")
        assert deliver() == 0
        assert len(receiver.messages) == 1

    def test_is_for_the_types_that_the_endpoint_wants(
        self, owner: User, register: Registering, deliver: Delivering
    ) -> None:
        register(owner, EventType.HOLD_PLACED)
        happen(owner)
        happen(listener())
        assert deliver() == 0
        assert not Event.objects.exists()

    def test_goes_to_each_endpoint_under_the_same_id(
        self, owner: User, register: Registering, receiver: Receiver, deliver: Delivering
    ) -> None:
        register(owner, path="/a")
        register(owner, path="/b")
        happen(owner)
        assert deliver() == 2
        assert {message.path for message in receiver.messages} == {"/a", "/b"}
        assert len({message.id for message in receiver.messages}) == 1

    def test_is_tried_again_later_and_later_and_given_up_after_three_days(
        self,
        owner: User,
        register: Registering,
        receiver: Receiver,
        deliver: Delivering,
        clock: Clock,
    ) -> None:
        register(owner)
        happen(owner)
        receiver.answering = lambda _message: Reply(status=500, body=b"no\0pe")
        waits = []
        while deliver():
            pending = Delivery.objects.get()
            if pending.state == "failed":
                break
            assert deliver() == 0, "it is not due yet"
            wait = pending.next_attempt_at - pending.attempts.latest("id").at
            waits.append(wait)
            clock.pass_(seconds=wait.total_seconds() + 1)
        assert len(waits) == len(claims.DELAYS)
        assert all(
            0.9 * usual <= wait <= 1.1 * usual
            for wait, usual in zip(waits, claims.DELAYS, strict=True)
        )
        assert timedelta(days=2.5) < sum(waits, timedelta()) < timedelta(days=3.5)
        assert len({message.id for message in receiver.messages}) == 1
        history = list(Attempt.objects.values_list("status", "excerpt"))
        assert history == [(500, "no\N{REPLACEMENT CHARACTER}pe")] * 11

    def test_that_somebody_died_with_is_found_by_the_next(
        self,
        owner: User,
        register: Registering,
        deliver: Delivering,
        clock: Clock,
    ) -> None:
        register(owner)
        happen(owner)
        assert len(take()) == 1
        assert deliver() == 0
        clock.pass_(seconds=claims.LEASE.total_seconds())
        assert deliver() == 1
        assert Delivery.objects.get().state == "delivered"

    def test_counts_the_success_of_one_who_is_late_and_not_the_failure(
        self, owner: User, register: Registering
    ) -> None:
        register(owner)
        happen(owner)
        (late,) = take()
        (after,) = take(ahead=claims.LEASE)
        note_outcome(late, outcome(500))
        assert Delivery.objects.get().next_attempt_at > now() + claims.LEASE
        note_outcome(after, outcome(200))
        note_outcome(late, outcome(500))
        assert Delivery.objects.get().state == "delivered"
        assert Attempt.objects.count() == 3

    def test_that_was_deleted_meanwhile_is_passed_over(
        self, owner: User, register: Registering
    ) -> None:
        new = register(owner)
        happen(owner)
        (claim,) = take()
        delete_endpoint(owner.pk, endpoint_id=new.endpoint.pk)
        note_outcome(claim, outcome(200))
        assert not Attempt.objects.exists()

    def test_to_a_slow_endpoint_leaves_room_for_others(
        self, owner: User, register: Registering
    ) -> None:
        slow = register(owner, path="/slow").endpoint
        for _each in range(10):
            happen(owner)
        register(owner, path="/fast")
        happen(owner)
        first = take(of_each=4)
        assert Counter(claim.endpoint_id == slow.pk for claim in first) == {True: 4, False: 1}
        assert claim_due(limit=99, of_each=4, busy=[slow.pk], now=now()) == []

    def test_answers_what_went_wrong_on_the_way(
        self,
        owner: User,
        register: Registering,
        deliver: Delivering,
        settings: Settings,
    ) -> None:
        register(owner)
        happen(owner)
        settings.ALLOW_PRIVATE_ADDRESSES = False
        deliver()
        attempt = Attempt.objects.get()
        assert (attempt.status, attempt.failure) == (None, "address_not_public")

    def test_goes_on_after_what_nobody_expected(
        self,
        owner: User,
        register: Registering,
        deliver: Delivering,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        register(owner)
        happen(owner)
        monkeypatch.setattr(calls, "post", lambda *_a, **_o: 1 // 0)
        assert deliver() == 1
        assert Attempt.objects.get().failure == "internal_error"

    def test_is_run_by_a_task(self, owner: User, register: Registering, receiver: Receiver) -> None:
        register(owner)
        happen(owner)
        assert deliver_webhooks() == 1
        assert deliver_webhooks() == 0
        assert len(receiver.messages) == 1
