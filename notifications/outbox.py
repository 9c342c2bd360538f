"""The outbox of a bank without mail server: every mail and message as a file of its own.

A mail is an ``.eml`` file, an SMS an ``.sms`` file of the same form, so that any mail reader shows
them. Their names sort by time. Only a demo has one: what has a real channel never lands here.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Final, Literal

from django.conf import settings

Channel = Literal["email", "sms"]

CHANNELS: Final[dict[str, Channel]] = {".eml": "email", ".sms": "sms"}
NAME_FORMAT: Final = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One mail or SMS as its receiver sees it."""

    channel: Channel
    to: str
    subject: str
    body: str
    sent_at: datetime


def store(*, folder: Path, suffix: str, content: bytes, now: datetime) -> Path:
    """Write one message into ``folder``, whole or not at all; return its file."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = now.astimezone(UTC).strftime(NAME_FORMAT)
    file = folder / f"{stamp}-{secrets.token_hex(4)}{suffix}"
    draft = file.with_suffix(".new")
    draft.write_bytes(content)
    return draft.replace(file)


def messages() -> list[Message]:
    """Return what lies in the demo's outbox, newest first."""
    wanted = {
        suffix
        for suffix, channel in CHANNELS.items()
        if not (settings.MAIL if channel == "email" else settings.SMS_URL)
    }
    if not settings.OUTBOX.is_dir():
        return []
    files = [file for file in settings.OUTBOX.iterdir() if file.suffix in wanted]
    return [_read(file) for file in sorted(files, reverse=True)]


def _read(file: Path) -> Message:
    raw = BytesParser(EmailMessage, policy=policy.default).parsebytes(file.read_bytes())
    body = raw.get_body(preferencelist=("plain", "html"))
    stamp = file.name.partition("-")[0]
    return Message(
        channel=CHANNELS[file.suffix],
        to=str(raw["To"] or ""),
        subject=str(raw["Subject"] or ""),
        body=body.get_content() if body else "",
        sent_at=datetime.strptime(stamp, NAME_FORMAT).replace(tzinfo=UTC),
    )
