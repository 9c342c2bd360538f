"""What the tests of webhooks share: a receiver on this machine, and endpoints that lead to it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from pytest_django import Settings

from accounts.models import User
from core.clock import now
from notifications.webhooks.claims import Claim, Outcome, claim_due
from notifications.webhooks.endpoints import NewSecret, register_endpoint
from notifications.webhooks.events import NewEvent, record_events
from notifications.webhooks.models import EventType
from notifications.webhooks.sending import send_due
from tests.receiver import Receiver, receiving

Registering = Callable[..., NewSecret]
Delivering = Callable[[], int]


class Clock:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead

    def pass_(self, *, days: float = 0, seconds: float = 0) -> None:
        self.ahead += timedelta(days=days, seconds=seconds)


def listener() -> User:
    """Create a customer without a password: hashing one takes longer than a test of webhooks."""
    return User.objects.create_user(f"{uuid4()}@example.org", None, full_name="Asha Rao")


@pytest.fixture(autouse=True)
def lenient(settings: Settings) -> None:
    """Let the bank call this machine."""
    settings.ALLOW_PRIVATE_ADDRESSES = True
    settings.ALLOW_PLAINTEXT = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a receiver."""
    with receiving() as found:
        yield found


@pytest.fixture
def register(receiver: Receiver) -> Registering:
    """Give what registers an endpoint of a person's at the receiver."""

    def registering(
        owner: User, *event_types: str, path: str = "/hook", address: str | None = None
    ) -> NewSecret:
        wanted = event_types or tuple(EventType)
        url = f"{address or receiver.address}{path}"
        return register_endpoint(owner.pk, url=url, event_types=wanted, now=now())

    return registering


@pytest.fixture
def owner() -> User:
    """Give a customer."""
    return listener()


@pytest.fixture
def clock() -> Clock:
    """Give the clock by which ``deliver`` works."""
    return Clock()


@pytest.fixture
def deliver(clock: Clock) -> Delivering:
    """Give what sends all that is due, and says how many attempts that took."""
    return lambda: send_due(clock=clock, seconds=10)


def happen(owner: User, *, source: str | None = None) -> None:
    """Let money come to an account of a person's."""
    event = NewEvent(
        owner=owner.pk,
        type=EventType.TRANSFER_CREDITED,
        source=source or str(uuid4()),
        occurred_at=now(),
        data={"memo": "किराया & rent"},
    )
    record_events([event], now=now())


def take(*, of_each: int = 9, ahead: timedelta = timedelta()) -> list[Claim]:
    """Take what is due, as a worker does."""
    return claim_due(limit=99, of_each=of_each, busy=[], now=now() + ahead)


def outcome(status: int) -> Outcome:
    """Return the outcome of an attempt that was answered."""
    return Outcome(at=now(), milliseconds=1, status=status)
