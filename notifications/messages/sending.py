"""Sending what is due: several at once, each attempt noted."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import structlog
from django.core.mail import get_connection

from notifications.channels.sms import send_sms
from notifications.messages.composing import mail_of, words_of
from notifications.messages.failures import INTERRUPTED, NOT_WORDED, failure_of
from notifications.messages.models import Channel, Message
from notifications.messages.queue import (
    MOST_TRIES,
    Outcome,
    claim_due,
    is_silent,
    note_outcome,
)

AT_ONCE: Final = 4
_PORTION: Final = 32

_log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Sending = Callable[[], None]


class _Lines(threading.local):
    """A connection to the mail server for each thread, kept for as long as it works."""

    connection: Any = None

    def send(self, mail: Any) -> None:
        """Hand a mail on; what fails ends the connection."""
        try:
            if self.connection is None:
                self.connection = get_connection()
                self.connection.open()
            self.connection.send_messages([mail])
        except Exception:
            self.hang_up()
            raise

    def hang_up(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            line, self.connection = self.connection, None
            line.close()


def send_due(channel: Channel, *, clock: Clock) -> int:
    """Send some of what is due by a channel; return how many attempts.

    Whoever calls this every two seconds sends up to sixteen messages a second: a burst of thousands
    takes minutes, and the machine stays with those who post. Safe to run anywhere, at once and at
    any time: each message is taken by one only. While nobody is there at the other end, one
    message alone is tried.
    """
    limit = 1 if is_silent(channel, now=clock()) else _PORTION
    taken = claim_due(channel, limit=limit, now=clock())
    with ThreadPoolExecutor(AT_ONCE) as senders:
        return len(_attempt_all(taken, senders, clock))


def _attempt_all(
    taken: Sequence[Message], senders: ThreadPoolExecutor, clock: Clock
) -> list[Outcome]:
    """Send messages at once, and note each as soon as it is known.

    The database is used by this thread alone, for their words, too; the others send.
    """
    lines = _Lines()
    share = [taken[place::AT_ONCE] for place in range(AT_ONCE)]
    prepared = [[(one, _prepare(one, lines)) for one in part] for part in share]
    under_way = [senders.submit(_send_all, part, lines, clock) for part in prepared if part]
    outcomes = []
    for future in under_way:
        for message, outcome in future.result():
            note_outcome(message, outcome)
            _tell(message, outcome)
            outcomes.append(outcome)
    return outcomes


def _prepare(message: Message, lines: _Lines) -> Sending:
    """Return what sends a message; one that cannot be worded fails when it is sent."""
    try:
        if message.tries > MOST_TRIES:
            raise _Lost  # noqa: TRY301  # as what cannot be worded
        words = words_of(message)
        if message.channel == Channel.SMS:
            return lambda: send_sms(to=message.to, body=words.text)
        mail = mail_of(message, words)
    except Exception as error:  # noqa: BLE001  # one message must not stop the others
        if not isinstance(error, _Lost):
            _log.exception("message_not_worded", message=str(message.pk), kind=message.kind)
        return _failing(error)
    return lambda: lines.send(mail)


class _Lost(Exception):
    """Every worker that took the message was killed or fell silent."""


def _failing(error: Exception) -> Sending:
    def fail() -> None:
        raise error

    return fail


def _send_all(
    part: Sequence[tuple[Message, Sending]], lines: _Lines, clock: Clock
) -> list[tuple[Message, Outcome]]:
    found = [(message, _attempt(message, send, clock)) for message, send in part]
    lines.hang_up()
    return found


def _attempt(message: Message, send: Sending, clock: Clock) -> Outcome:
    """Send one message; whatever goes wrong is the outcome."""
    at, begun = clock(), time.monotonic()
    try:
        send()
    except _Lost:
        return Outcome(at=at, milliseconds=0, failure=INTERRUPTED, is_final=True)
    except Exception as error:  # noqa: BLE001  # one message must not stop the others
        failure = failure_of(error)
        return Outcome(
            at=at,
            milliseconds=_since(begun),
            failure=failure.code,
            detail=failure.detail.replace(message.to, "…"),
            is_final=failure.is_final,
        )
    return Outcome(at=at, milliseconds=_since(begun))


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1_000)


def _tell(message: Message, outcome: Outcome) -> None:
    """Say in the log what came of an attempt, and whether the message may have come twice."""
    known = {
        "message": str(message.pk),
        "kind": message.kind,
        "channel": message.channel,
        "tries": message.tries,
    }
    if getattr(message, "was_taken", False):
        _log.warning("message_may_come_twice", **known)
    if outcome.failure and outcome.failure != NOT_WORDED:
        _log.warning("message_not_sent", failure=outcome.failure, **known)
    elif not outcome.failure:
        _log.info("message_sent", **known)
