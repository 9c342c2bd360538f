"""The outbox as a queue, in PostgreSQL: putting in, taking out, noting what came of it.

A message that is taken is due again two minutes later, so one whose worker was killed is found by
the next. Whether it had left by then nobody can know: it leaves again, under the same Message-ID,
and its log says that it may have come twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import connection

from core.backoff import wait_after
from core.db.sql import queries
from notifications.messages.models import Channel, Message, MessageState

DELAYS: Final[Sequence[timedelta]] = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)
"""What lies between a failed attempt and the next: three days in all."""
MOST_TRIES: Final = len(DELAYS) + 1
# Longer than a mail server may take for one mail, every line of it as slow as we wait for.
LEASE: Final = timedelta(minutes=2)
# So many in a row within this time found nobody there: then one alone tries whether that is over.
SILENT_AFTER: Final = 5
SILENT_WITHIN: Final = timedelta(minutes=2)
_LONGEST_DETAIL: Final = 300
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "messages.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt; ``failure`` is empty when the message was taken."""

    at: datetime
    milliseconds: int
    failure: str = ""
    detail: str = ""
    is_final: bool = False


def claim_due(channel: Channel, *, limit: int, now: datetime) -> Sequence[Message]:
    """Take up to ``limit`` messages that are due. In autocommit they are taken when it returns.

    Each has ``was_taken`` besides: whether somebody had taken it and was not heard of since.
    """
    taken: dict[str, Any] = {
        "channel": channel,
        "limit": limit,
        "now": now,
        "until": now + LEASE,
    }
    return list(Message.objects.raw(_QUERIES["claim"], taken))


def is_silent(channel: Channel, *, now: datetime) -> bool:
    """Tell whether nobody was there, the last times that a message was to leave this way."""
    asked: dict[str, Any] = {
        "channel": channel,
        "since": now - SILENT_WITHIN,
        "count": SILENT_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["is_silent"], asked)
        (answer,) = cursor.fetchone()
    return bool(answer)


def note_outcome(message: Message, outcome: Outcome) -> None:
    """Record an attempt and what follows from it: sent, due again, or given up. One statement."""
    is_sent = not outcome.failure
    wait = None if outcome.is_final or is_sent else wait_after(message.tries, DELAYS)
    parameters: dict[str, Any] = {
        "id": message.pk,
        "tries": message.tries,
        "is_sent": is_sent,
        "next": None if wait is None else outcome.at + wait,
        "at": outcome.at,
        "milliseconds": outcome.milliseconds,
        "failure": outcome.failure,
        "detail": " ".join(outcome.detail.split())[:_LONGEST_DETAIL],
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["note"], parameters)


def retry_dead(messages: Any, *, now: datetime) -> int:
    """Let those of a query set that were given up be sent again; return how many."""
    dead = messages.filter(state=MessageState.DEAD)
    return int(dead.update(state=MessageState.WAITING, tries=0, next_attempt_at=now))


def forget_messages(*, before: datetime) -> int:
    """Forget messages from before an instant that do not wait any more; return how many."""
    old = Message.objects.filter(created_at__lt=before).exclude(state=MessageState.WAITING)
    ids = list(old.values_list("pk", flat=True)[:10_000])
    Message.objects.filter(pk__in=ids).delete()
    return len(ids)
