"""Mails and SMS leave by the outbox whatever mail servers do, and its log says what happened."""

import email
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core import mail as django_mail
from django.db import transaction
from pytest_django import Settings

from bankproject.runtime.ports import first_free
from core.clock import now
from notifications.mail import File, Mail, Words, queue_mail
from notifications.messages import queue
from notifications.messages.models import Channel, Message, MessageAttempt
from notifications.messages.sending import send_due

WORDS = Words(subject="Your statement", text="It is attached.\n", html="<p>It is attached.</p>")
STATEMENT = File(name="october.pdf", content_type="application/pdf", content=b"%PDF-1.7 \xff")
pytestmark = pytest.mark.django_db


class MailServer:
    """Takes mails, unless ``answer`` says otherwise for an address."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take an address or refuse it."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Take a mail."""
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """Give a mail server that the bank's mails go to."""
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=first_free(32_000))
    controller.start()
    _go_to(settings, controller.port)
    yield server
    controller.stop()


def _go_to(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 1


@contextmanager
def silent_server() -> Iterator[int]:
    """Take connections and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def put(to: str = "asha@example.org", *, key: str = "", **parts: Any) -> bool:
    return queue_mail(Mail(to=to, kind="statement", words=WORDS, **parts), now=now(), key=key)


def send(channel: Channel = Channel.EMAIL) -> int:
    return send_due(channel, clock=now)


def make_due() -> None:
    Message.objects.update(next_attempt_at=now() - timedelta(seconds=1))


def log() -> list[str]:
    return list(MessageAttempt.objects.values_list("failure", flat=True))


class TestAMail:
    def test_leaves_whole_and_once(self, mail_server: MailServer) -> None:
        assert put(files=[STATEMENT])
        assert send() == 1
        assert send() == 0
        (mail,) = mail_server.mails
        row = Message.objects.get()
        assert mail["Message-ID"] == f"<{row.pk}@localhost>"
        assert (mail["To"], mail["Subject"]) == ("asha@example.org", "Your statement")
        assert mail.get_body(("plain",)).get_content().split() == WORDS.text.split()
        assert WORDS.html in mail.get_body(("html",)).get_content()
        (file,) = mail.iter_attachments()
        assert (file.get_filename(), file.get_content()) == ("october.pdf", STATEMENT.content)
        assert (row.state, row.tries, log()) == ("sent", 1, [""])

    def test_is_written_once_a_key_and_with_its_transaction_only(self) -> None:
        assert put(key="october", files=[STATEMENT])
        assert not put(key="october", files=[STATEMENT])
        assert put(key="november")
        with transaction.atomic():
            put()
            transaction.set_rollback(True)
        assert Message.objects.count() == 2

    def test_to_an_address_that_there_is_not_is_given_up_and_hinders_no_other(
        self, mail_server: MailServer
    ) -> None:
        mail_server.answers["gone@example.org"] = "550 5.1.1 gone@example.org is unknown"
        put("gone@example.org")
        put()
        assert send() == 2
        assert [mail["To"] for mail in mail_server.mails] == ["asha@example.org"]
        gone = Message.objects.get(to="gone@example.org")
        attempt = gone.attempts.get()
        assert (gone.state, attempt.failure) == ("dead", "refused")
        assert attempt.detail == "550 5.1.1 … is unknown"

    def test_that_is_refused_for_now_comes_later(self, mail_server: MailServer) -> None:
        mail_server.answers["asha@example.org"] = "451 come back"
        put()
        send()
        assert send() == 0
        mail_server.answers.clear()
        make_due()
        assert send() == 1
        assert log() == ["refused_for_now", ""]
        assert len(mail_server.mails) == 1

    def test_whose_words_fail_is_tried_again_and_in_the_end_by_an_admins_hand(
        self, mail_server: MailServer
    ) -> None:
        put()
        Message.objects.update(template="no such")
        for _each in range(queue.MOST_TRIES):
            make_due()
            send()
        assert Message.objects.get().state == "dead"
        assert set(log()) == {"not_worded"}
        Message.objects.update(template="written")
        assert queue.retry_dead(Message.objects.all(), now=now()) == 1
        send()
        assert len(mail_server.mails) == 1

    def test_whose_worker_was_killed_comes_again_by_the_same_id_and_the_log_says_so(
        self, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
    ) -> None:
        put()
        (taken,) = queue.claim_due(Channel.EMAIL, limit=1, now=now())
        assert send() == 0
        make_due()
        assert send() == 1
        assert mail_server.mails[0]["Message-ID"] == f"<{taken.pk}@localhost>"
        assert log() == ["interrupted", ""]
        assert "message_may_come_twice" in capfd.readouterr().err

    def test_that_kills_each_worker_is_given_up(self, mail_server: MailServer) -> None:
        put()
        for _each in range(queue.MOST_TRIES):
            queue.claim_due(Channel.EMAIL, limit=1, now=now())
            make_due()
        send()
        assert Message.objects.get().state == "dead"
        assert mail_server.mails == []

    def test_that_a_slow_worker_failed_with_stays_sent(self) -> None:
        put()
        (slow,) = queue.claim_due(Channel.EMAIL, limit=1, now=now())
        make_due()
        (fast,) = queue.claim_due(Channel.EMAIL, limit=1, now=now())
        failed = queue.Outcome(at=now(), milliseconds=1, failure="unreachable", is_final=True)
        queue.note_outcome(slow, failed)
        assert Message.objects.get().state == "waiting"
        queue.note_outcome(fast, queue.Outcome(at=now(), milliseconds=1))
        queue.note_outcome(slow, failed)
        assert Message.objects.get().state == "sent"


class TestAMailServer:
    def test_that_is_gone_is_asked_by_one_mail_at_a_time_and_gets_all_in_the_end(
        self, settings: Settings, mail_server: MailServer
    ) -> None:
        there = settings.EMAIL_PORT
        settings.EMAIL_PORT = first_free(32_300)
        for _each in range(40):
            put()
        assert send() == 32
        make_due()
        assert [send(), send()] == [1, 1]
        settings.EMAIL_PORT = there
        MessageAttempt.objects.update(at=now() - timedelta(minutes=3))
        make_due()
        assert [send(), send()] == [32, 8]
        assert len(mail_server.mails) == 40
        assert len({mail["Message-ID"] for mail in mail_server.mails}) == 40

    def test_that_says_nothing_is_not_waited_for_long(self, settings: Settings) -> None:
        with silent_server() as port:
            _go_to(settings, port)
            put()
            send()
        assert log() == ["no_answer"]
        assert Message.objects.get().state == "waiting"


class TestAnSms:
    def test_leaves_by_its_own_way(self, settings: Settings, tmp_path: Any) -> None:
        settings.SMS_URL = f"file://{tmp_path}/sms.log"
        put()
        Message.objects.update(channel="sms", to="+919812345678")
        assert send() == 0
        assert send(Channel.SMS) == 1
        assert "It is attached." in (tmp_path / "sms.log").read_text(encoding="utf-8")
        assert django_mail.outbox == []


@pytest.mark.usefixtures("mail_server")
class TestABurst:
    def test_of_movements_lets_everything_else_pass(self) -> None:
        for _each in range(33):
            put()
        Message.objects.update(kind="money_in")
        put()
        assert send() == 32
        assert Message.objects.get(kind="statement").state == "sent"


@pytest.mark.usefixtures("mail_server")
class TestTwoWorkers:
    def test_take_each_message_once(self) -> None:
        for _each in range(6):
            put()
        first = queue.claim_due(Channel.EMAIL, limit=4, now=now())
        second = queue.claim_due(Channel.EMAIL, limit=4, now=now())
        assert (len(first), len(second)) == (4, 2)
        assert not {one.pk for one in first} & {one.pk for one in second}


def test_nothing_runs_on_after_sending(mail_server: MailServer) -> None:
    before = threading.active_count()
    put()
    send()
    assert len(mail_server.mails) == 1
    assert threading.active_count() == before
