"""Send an SMS the way SMS_URL says: to the terminal, to a file, or to a phone by Twilio."""

import json
import re
import sys
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.clock import now
from notifications.outbox import store

PHONE_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
TWILIO_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}")


class SmsNotSentError(Exception):
    """Say why a message could not be handed on; sending it later may succeed unless ``is_final``.

    ``code`` is a word for the delivery log.
    """

    def __init__(self, message: str, *, code: str = "unreachable", is_final: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_final = is_final


class SmsSender(Protocol):
    """One way to send an SMS."""

    def send(self, *, to: str, body: str) -> None:
        """Send ``body`` to the phone number ``to`` (E.164).

        Raises:
            SmsNotSentError: it could not be handed on.
        """


def send_sms(*, to: str, body: str) -> None:
    """Send ``body`` to the phone number ``to`` (E.164) by the configured way.

    Raises:
        SmsNotSentError: ``to`` is no phone number, or it could not be handed on.
    """
    if not PHONE_NUMBER.fullmatch(to):
        message = f"{to!r} is no phone number of the form +919812345678"
        raise SmsNotSentError(message, code="refused", is_final=True)
    sender_for(settings.SMS_URL).send(to=to, body=body)


def sender_for(url: str | None) -> SmsSender:
    """Return the sender that ``url`` names; without one, the demo's outbox.

    Raises:
        ImproperlyConfigured: ``url`` is not understood. Secrets in it are not repeated.
    """
    if not url:
        return FolderSender(folder=settings.OUTBOX)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    makers = {"console": _console, "file": _file, "twilio": _twilio}
    if parts.scheme not in makers or parts.query or parts.fragment:
        message = "SMS_URL must be console://, file:///path or twilio://SID:TOKEN@/+NUMBER"
        raise ImproperlyConfigured(message)
    return makers[parts.scheme](parts)


def _console(parts: SplitResult) -> SmsSender:
    if parts.netloc or parts.path:
        message = "SMS_URL=console:// takes nothing after it"
        raise ImproperlyConfigured(message)
    return ConsoleSender()


def _file(parts: SplitResult) -> SmsSender:
    path = Path(unquote(parts.path))
    if parts.netloc or not parts.path.strip("/"):
        message = "SMS_URL=file:///path needs three slashes and an absolute path"
        raise ImproperlyConfigured(message)
    if parts.path.endswith("/") or path.is_dir():
        return FolderSender(folder=path)
    return FileSender(file=path)


def _twilio(parts: SplitResult) -> SmsSender:
    from notifications.channels.twilio import TwilioSender

    account, token = unquote(parts.username or ""), unquote(parts.password or "")
    number = unquote(parts.path.removeprefix("/"))
    if parts.netloc.rpartition("@")[2]:
        message = "SMS_URL=twilio://SID:TOKEN@/+NUMBER names no host: the slash follows the @"
        raise ImproperlyConfigured(message)
    if not TWILIO_ACCOUNT.fullmatch(account) or not token:
        message = "SMS_URL=twilio:// needs the account's SID (AC and 32 hex digits) and its token"
        raise ImproperlyConfigured(message)
    if not PHONE_NUMBER.fullmatch(number):
        message = f"SMS_URL=twilio:// must end with the sender's number as /+15551234567: {number}"
        raise ImproperlyConfigured(message)
    return TwilioSender(account=account, token=token, number=number)


@dataclass(frozen=True)
class ConsoleSender:
    """Print messages on the terminal."""

    def send(self, *, to: str, body: str) -> None:
        """Print ``body``."""
        sys.stdout.write(f"SMS to {to}: {body}\n")
        sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class FileSender:
    """Append messages to a file, one JSON object a line."""

    file: Path

    def send(self, *, to: str, body: str) -> None:
        """Append ``body``."""
        line = json.dumps({"to": to, "body": body, "sent_at": now().isoformat()})
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as error:
            message = f"{error.filename}: {error.strerror}"
            raise SmsNotSentError(message) from error


@dataclass(frozen=True, kw_only=True)
class FolderSender:
    """Write each message to a file of its own, as the demo's outbox does."""

    folder: Path

    def send(self, *, to: str, body: str) -> None:
        """Store ``body``."""
        sms = EmailMessage()
        sms["To"] = to
        sms.set_content(body)
        try:
            store(folder=self.folder, suffix=".sms", content=sms.as_bytes(), now=now())
        except OSError as error:
            message = f"{error.filename}: {error.strerror}"
            raise SmsNotSentError(message) from error
