"""Writing a mail into the head office's outbox, from where it leaves by itself.

The caller's transaction, if there is one, decides whether it is sent; no mail server is waited for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4, uuid5

from django.db import transaction

from notifications.messages.composing import WRITTEN, Words, rendered
from notifications.messages.models import Attachment, Channel, Message

__all__ = ["File", "Mail", "Words", "queue_mail", "rendered"]

_NAMESPACE: Final = UUID("0f5f6c3e-9a52-4f0e-8a83-5e1d3f0f7c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that goes with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it is to leave.

    ``kind`` is what the delivery log calls it; ``person`` is whose log has it.
    """

    to: str
    kind: str
    words: Words
    person: int | None = None
    files: Sequence[File] = ()


def queue_mail(mail: Mail, *, now: datetime, key: str = "") -> bool:
    """Write a mail into the outbox; False: one of this ``key`` was written before."""
    told = {
        "person_id": mail.person,
        "kind": mail.kind,
        "channel": Channel.EMAIL,
        "to": mail.to,
        "template": WRITTEN,
        "data": asdict(mail.words),
        "next_attempt_at": now,
        "created_at": now,
    }
    pk = uuid5(_NAMESPACE, f"{mail.kind} {mail.to} {key}") if key else uuid4()
    with transaction.atomic():
        message, is_new = Message.objects.get_or_create(pk=pk, defaults=told)
        if is_new:
            rows = [Attachment(message=message, **asdict(file)) for file in mail.files]
            Attachment.objects.bulk_create(rows)
    return is_new
