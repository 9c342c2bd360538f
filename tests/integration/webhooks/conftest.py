"""What the tests of webhooks share: a receiver on this machine, and endpoints that lead to it."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from pytest_django import Settings

from accounts.models import User
from core.clock import now
from notifications.webhooks.endpoints import NewSecret, register_endpoint
from notifications.webhooks.models import EventType
from tests.receiver import Receiver, receiving

Registering = Callable[..., NewSecret]


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
