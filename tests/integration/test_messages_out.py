"""Mails and messages leave the bank: to files, to the terminal, to Twilio's own interface."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMultiAlternatives, send_mail
from pytest_django import Settings
from twilio.http.http_client import TwilioHttpClient

from bankproject import env
from bankproject.runtime.ports import first_free
from core.clock import now
from notifications.channels.sms import SmsNotSentError, send_sms
from notifications.channels.twilio import TwilioSender
from notifications.outbox import messages

ACCOUNT = "AC" + "0123456789abcdef" * 2
PHONE = "+919812345678"


@pytest.fixture
def outbox(settings: Settings, tmp_path: Path) -> Path:
    """Give the demo's outbox, in a bank without mail server."""
    settings.OUTBOX = tmp_path / "outbox"
    settings.EMAIL_BACKEND = "notifications.channels.files.EmailBackend"
    settings.MAIL = {}
    settings.SMS_URL = None
    return tmp_path / "outbox"


class TestOutbox:
    def test_is_empty_before_the_first_message(self, outbox: Path) -> None:
        assert messages() == []
        assert not outbox.exists()

    def test_shows_mails_and_messages_newest_first(self, outbox: Path) -> None:
        send_mail("Grüße", "Your code: 123456", "bank@localhost", ["asha@example.org"])
        send_sms(to=PHONE, body="नमस्ते 123456")
        sms, mail = messages()
        assert (sms.channel, sms.to, sms.body.strip()) == ("sms", PHONE, "नमस्ते 123456")
        assert (mail.channel, mail.to, mail.subject) == ("email", "asha@example.org", "Grüße")
        assert mail.body.strip() == "Your code: 123456"
        assert now() - mail.sent_at < timedelta(minutes=1)
        assert mail.sent_at <= sms.sent_at
        assert {file.suffix for file in outbox.iterdir()} == {".eml", ".sms"}

    @pytest.mark.usefixtures("outbox")
    def test_shows_the_plain_text_of_a_mail_that_has_both(self) -> None:
        mail = EmailMultiAlternatives("Both", "plain words", to=["a@example.org"])
        mail.attach_alternative("<p>rich words</p>", "text/html")
        mail.attach("statement.csv", "a,b\n", "text/csv")
        mail.send()
        assert messages()[0].body.strip() == "plain words"

    def test_is_for_the_eyes_of_its_owner(self, outbox: Path) -> None:
        send_sms(to=PHONE, body="secret")
        assert outbox.stat().st_mode & 0o077 == 0

    def test_holds_nothing_that_has_a_real_channel(self, outbox: Path, settings: Settings) -> None:
        send_mail("old", "from the demo", None, ["a@example.org"])
        send_sms(to=PHONE, body="old")
        assert len(list(outbox.iterdir())) == 2
        settings.MAIL = {"EMAIL_HOST": "mail.example"}
        assert [message.channel for message in messages()] == ["sms"]
        settings.SMS_URL = "console://"
        assert messages() == []


class TestMailServer:
    def test_of_the_url_is_given_the_mail(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        received = SmtpMailbox()
        server = Controller(received, hostname="127.0.0.1", port=first_free(25_000))
        server.start()
        try:
            monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{server.port}")
            for name, value in env.mail("EMAIL_URL").items():
                setattr(settings, name, value)
            send_mail("Grüße", "Your code: 123456", "bank@example.org", ["asha@example.org"])
        finally:
            server.stop()
        assert received.envelopes == [("bank@example.org", ["asha@example.org"])]


class SmtpMailbox:
    """What an SMTP server received."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Take a mail."""
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"


class TestSms:
    def test_to_no_phone_number_is_refused(self, outbox: Path) -> None:
        for number in ("", "98123", "+0123456789", "+91 98123 45678", "+९१९८१२३४५६७८"):
            with pytest.raises(SmsNotSentError, match="is no phone number"):
                send_sms(to=number, body="x")
        assert not outbox.exists()

    def test_is_printed(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        settings.SMS_URL = "console://"
        send_sms(to=PHONE, body="123456")
        assert capsys.readouterr().out == f"SMS to {PHONE}: 123456\n"

    def test_is_appended_to_a_file(self, settings: Settings, tmp_path: Path) -> None:
        settings.SMS_URL = f"file://{tmp_path}/new/sms.log"
        for body in ("first\nline", "second"):
            send_sms(to=PHONE, body=body)
        lines = (tmp_path / "new" / "sms.log").read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        assert [(sms["to"], sms["body"]) for sms in found] == [
            (PHONE, "first\nline"),
            (PHONE, "second"),
        ]
        assert datetime.fromisoformat(found[0]["sent_at"]).tzinfo == UTC

    def test_that_no_file_takes_is_told(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        settings.SMS_URL = f"file://{tmp_path}/file/sms.log"
        with pytest.raises(SmsNotSentError, match=r"File exists|Not a directory"):
            send_sms(to=PHONE, body="x")


@dataclass
class Twilio:
    """Twilio's own interface on this machine: it notes requests and gives the set answer."""

    address: str = ""
    status: int = 201
    answer: dict[str, Any] = field(default_factory=lambda: {"sid": "SM1", "status": "queued"})
    requests: list[dict[str, Any]] = field(default_factory=list)
    hurry: threading.Event = field(default_factory=threading.Event)
    """Answers wait for it."""

    def sender(self, patience: float = 2) -> TwilioSender:
        """Return a sender whose requests come here instead of to api.twilio.com."""
        address = self.address

        class Rerouted(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
            def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
                here = url.replace("https://api.twilio.com", address)
                return super().request(method, here, *args, **options)

        return TwilioSender(
            account=ACCOUNT, token="token", number="+15551234567", http=Rerouted(timeout=patience)
        )


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    """Give a server that speaks Twilio's REST."""
    twilio = Twilio()
    twilio.hurry.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = parse_qs(self.rfile.read(length).decode())
            twilio.requests.append(
                {"path": self.path, "auth": self.headers["Authorization"], "form": form}
            )
            twilio.hurry.wait()
            body = json.dumps(twilio.answer).encode()
            self.send_response(twilio.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        twilio.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield twilio
        server.shutdown()
        thread.join()


class TestTwilio:
    def test_is_given_the_message_once(self, twilio: Twilio) -> None:
        twilio.sender().send(to=PHONE, body="Code 123456 & more")
        assert twilio.requests == [
            {
                "path": f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
                "auth": "Basic " + base64.b64encode(f"{ACCOUNT}:token".encode()).decode(),
                "form": {"To": [PHONE], "From": ["+15551234567"], "Body": ["Code 123456 & more"]},
            }
        ]

    @pytest.mark.parametrize(
        ("status", "is_final"), [(400, True), (401, False), (429, False), (500, False)]
    )
    def test_that_refuses_is_told(self, twilio: Twilio, status: int, is_final: bool) -> None:  # noqa: FBT001  # pytest's way
        twilio.status = status
        twilio.answer = {"code": 21211, "message": "Invalid 'To'", "status": status}
        with pytest.raises(SmsNotSentError, match="Invalid 'To'") as refusal:
            twilio.sender().send(to=PHONE, body="x")
        assert refusal.value.is_final == is_final
        assert len(twilio.requests) == 1

    def test_that_cannot_be_reached_is_told(self, twilio: Twilio) -> None:
        twilio.address = "http://127.0.0.1:9"
        with pytest.raises(SmsNotSentError, match="did not take the message") as refusal:
            twilio.sender().send(to=PHONE, body="x")
        assert (refusal.value.code, refusal.value.is_final) == ("no_answer", False)

    def test_that_does_not_answer_in_time_may_be_told_again(self, twilio: Twilio) -> None:
        twilio.hurry.clear()
        with pytest.raises(SmsNotSentError, match="did not take the message") as refusal:
            twilio.sender(patience=0.3).send(to=PHONE, body="x")
        twilio.hurry.set()
        assert (refusal.value.code, refusal.value.is_final) == ("no_answer", False)
        # It has the message: what is sent again may come twice, and no bank can tell.
        assert len(twilio.requests) == 1
