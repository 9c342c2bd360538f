"""What the documents say of webhooks is so."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
from django.utils import timezone

from notifications.webhooks import claims
from notifications.webhooks.deliveries import send_test
from notifications.webhooks.endpoints import rotate_secret
from notifications.webhooks.models import EventType
from notifications.webhooks.sending import send_due
from tests.integration.webhooks.conftest import Registering, listener
from tests.receiver import Receiver

PAGE: Final = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "webhooks.md").read_text(
    encoding="utf-8"
)


def example() -> Any:
    """Return the function of the page's example."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  # our own page
    return names["read_message"]


@pytest.mark.django_db
def test_the_example_reads_what_the_bank_sends_and_nothing_else(
    register: Registering, receiver: Receiver
) -> None:
    owner = listener()
    former = register(owner)
    new = rotate_secret(owner.pk, endpoint_id=former.endpoint.pk, now=timezone.now())
    send_test(owner.pk, endpoint_id=new.endpoint.pk, now=timezone.now())
    send_due(clock=timezone.now, seconds=10)
    (message,) = receiver.messages
    read_message = example()
    for secret in (former.secret, new.secret):
        assert read_message(secret, message.headers, message.body)["type"] == "webhook.test"
    with pytest.raises(ValueError, match="not signed"):
        read_message(new.secret, message.headers, message.body + b" ")
    with pytest.raises(ValueError, match="not signed"):
        read_message("whsec_" + "A" * 44, message.headers, message.body)
    with pytest.raises(ValueError, match="too old"):
        read_message(
            new.secret, {**message.headers, "webhook-timestamp": "1700000000"}, message.body
        )


def test_the_page_names_every_type_and_the_waits() -> None:
    assert [name for name in EventType if f"`{name}`" not in PAGE] == []
    assert [int(delay.total_seconds()) for delay in claims.DELAYS] == [
        5,
        *(minutes * 60 for minutes in (1, 5, 30)),
        *(hours * 3_600 for hours in (2, 5, 10, 14, 20, 20)),
    ]
    assert "after 5 seconds, 1, 5 and 30 minutes, then 2, 5, 10, 14, 20 and 20 hours" in PAGE
