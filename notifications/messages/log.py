"""The delivery log: which messages went to a person, by which way, and what came of each."""

from collections.abc import Sequence

from django.db.models import Prefetch

from core.db.keyset import older
from notifications.messages.models import Message, MessageAttempt

# Nothing that a message says: its log can be read where that is not known, and by who need not.
_KNOWN = ("id", "kind", "channel", "state", "tries", "next_attempt_at", "created_at", "sent_at")


def messages_to(
    person: int, *, after: Sequence[str] | None, most: int, using: str = "default"
) -> list[Message]:
    """Return a person's newest messages with their attempts, those after a cursor."""
    attempts = MessageAttempt.objects.only("id", "message_id", "at", "milliseconds", "failure")
    found = (
        Message.objects.using(using)
        .filter(person=person)
        .only(*_KNOWN)
        .prefetch_related(Prefetch("attempts", attempts.using(using)))
    )
    return list(older(found, by="created_at", than=after)[:most])
