"""The monthly report: what is in it, and that each super admin has it once, whatever goes wrong."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import LogIn, LogInResult, User, Viewing
from bankproject.runtime.postgres import BankUrls
from core import clock
from core.jobs.models import Job
from core.jobs.running import run_due
from notifications.messages.models import Message
from portals.reports.models import MonthlyReport, ReportMailing
from portals.reports.monthly import due_month, made_report, send_report
from portals.reports.tables import tables_of
from portals.tasks import monthly_report
from tests.factories import account, inr, order, person
from transactions.ledger.posting import Kind, Transfer, post
from transactions.reporting import snapshots
from transactions.reporting.account_days import UnfitPeriod
from transactions.reporting.month import Month
from transactions.reporting.snapshots import PositionNotReached

# Transfers are recorded when they are made, so the month of the tests is this one, looked back at.
THIS = Month(clock.bank_day(clock.now()).replace(day=1))
LATER = THIS.until + timedelta(hours=6)
LAST = Month.before(clock.now())
ADDRESS = "/admin/monthly-report/"


@pytest.fixture(scope="module")
def bank(shared_bank: BankUrls) -> list[int]:
    """Give a bank in which ₹20 went one way and ₹5 the other, and return the two accounts."""
    assert shared_bank
    long_ago = LAST.since - timedelta(days=40)
    asha = person(full_name="Asha Rao", date_joined=long_ago)
    mine, other = account(balance=10_000, owner=asha), account(balance=5_000)
    post(Transfer(mine, other, inr(2_000), Kind.PAYMENT), order=order())
    post(Transfer(other, mine, inr(500)), order=order())
    for result, who in ((LogInResult.SUCCEEDED, asha), (LogInResult.WRONG_PASSWORD, None)):
        LogIn.objects.create(at=clock.now(), result=result, person=who, address="192.0.2.7")
    return [mine, other]


@pytest.fixture
def anjali(bank: list[int]) -> Iterator[User]:
    """Give the bank a super admin for the test, and no report."""
    assert bank
    made = person(
        email=f"anjali{User.objects.count()}@example.org",
        full_name="Anjali Bhatt",
        role="admin",
        is_staff=True,
        is_superuser=True,
        date_joined=LAST.since - timedelta(days=40),
    )
    yield made
    User.objects.filter(pk=made.pk).update(is_superuser=False)
    ReportMailing.objects.all().delete()
    MonthlyReport.objects.all().delete()
    Job.objects.all().delete()
    Message.objects.all().delete()


@pytest.fixture
def pages(anjali: User) -> Client:
    """Give a browser that the super admin is logged in with."""
    client = Client()
    client.force_login(anjali)
    return client


def mails() -> list[str]:
    """Return to whom reports are on their way."""
    return list(Message.objects.filter(kind="monthly_report").values_list("to", flat=True))


def _wait_for_the_lock(owner: psycopg.Connection[Any], sending: "subprocess.Popen[bytes]") -> None:
    """Wait until a mail of the report is about to be written."""
    waiting = (
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND relation = 'notifications_message'::regclass"
    )
    found: Any = (0,)
    while found == (0,):
        assert sending.poll() is None, "it did not wait"
        time.sleep(0.05)
        found = owner.execute(waiting).fetchone()


def text_of(answer: Any) -> str:
    """Return a page as text, its blanks as one."""
    return " ".join(answer.content.decode().split())


class TestFigures:
    def test_are_those_of_people_and_of_money(self, bank: list[int], anjali: User) -> None:
        assert anjali
        mine, other = bank
        found = {one.name: one for one in tables_of(made_report(THIS, now=LATER))}
        assert list(found["log-ins"].rows[0]) == ["All", 1, 1, 0, 1]
        assert [list(row)[1:] for row in found["log-ins-by-day"].rows] == [
            ["nobody known", 0, 1, 0],
            ["customer", 1, 0, 1],
        ]
        ((_branch, channel, transfers, currency, amount),) = found["volumes"].rows
        assert (channel, transfers, currency, amount) == ("API", 4, "INR", inr(17_500))
        ((_branch, _currency, customers, cash),) = found["balances"].rows
        assert (customers, cash) == (inr(15_000), inr(15_000))
        assert [list(row)[1:3] for row in found["largest"].rows][2] == [str(mine), str(other)]
        assert found["largest"].rows[2][-1] == inr(2_000)
        assert found["in-transit"].note == "No position was taken after the last day."

    def test_end_with_the_month(self, bank: list[int], anjali: User) -> None:
        assert bank
        assert anjali
        found = {one.name: one for one in tables_of(made_report(LAST, now=clock.now()))}
        assert not found["volumes"].rows
        ((_branch, _currency, customers, cash),) = found["balances"].rows
        assert (customers, cash) == (inr(0), inr(0))

    def test_of_a_month_that_is_not_over_on_the_copies_are_not_given(self, anjali: User) -> None:
        assert anjali
        with pytest.raises(PositionNotReached):
            made_report(THIS, now=THIS.until + timedelta(seconds=59))

    @pytest.mark.parametrize("text", ["2026-13", "october", "", "2199-01", "9999-12", "0001-01"])
    def test_of_what_is_no_month_that_is_over_are_refused(self, anjali: User, text: str) -> None:
        assert anjali
        with pytest.raises(UnfitPeriod) as refused:
            made_report(Month.parse(text, now=clock.now()), now=clock.now())
        assert refused.value.field == "month"
        assert not MonthlyReport.objects.exists()


class TestSending:
    def test_reaches_each_super_admin_once(self, anjali: User) -> None:
        report = made_report(THIS, now=LATER)
        assert [send_report(report, now=LATER) for _again in range(2)] == [1, 0]
        assert mails() == [anjali.email]
        (message,) = Message.objects.filter(kind="monthly_report")
        (file,) = message.attachments.all()
        assert bytes(file.content).startswith(b"%PDF-1.")
        assert f"?month={THIS}" in message.data["text"]

    def test_from_two_places_at_once_is_once(self, anjali: User) -> None:
        report = made_report(THIS, now=LATER)
        start = Barrier(2)

        def send() -> None:
            try:
                start.wait(10)
                send_report(report, now=LATER)
            finally:
                connection.close()

        several = [Thread(target=send) for _one in range(2)]
        for one in several:
            one.start()
        for one in several:
            one.join()
        assert mails() == [anjali.email]

    def test_killed_between_the_mail_and_its_note_leaves_neither(
        self, shared_bank: BankUrls, anjali: User
    ) -> None:
        report = made_report(LAST, now=clock.now())
        with psycopg.connect(shared_bank.owner) as owner:
            owner.execute("LOCK TABLE notifications_message IN SHARE MODE")
            sending = subprocess.Popen(
                [sys.executable, "manage.py", "send_report", str(LAST)],
                env={**os.environ, "DATABASE_URL": shared_bank.app},
            )
            _wait_for_the_lock(owner, sending)
            sending.kill()
            assert sending.wait() == -signal.SIGKILL
        assert not ReportMailing.objects.exists()
        assert send_report(report, now=clock.now()) == 1
        assert mails() == [anjali.email]

    def test_to_nobody_raises_an_alarm(
        self, anjali: User, capfd: pytest.CaptureFixture[str]
    ) -> None:
        User.objects.filter(pk=anjali.pk).update(is_superuser=False)
        with pytest.raises(CommandError, match="Nobody is a super admin"):
            call_command("send_report", str(LAST))
        assert "report_without_super_admin" in capfd.readouterr().err

    def test_by_command_goes_to_who_has_not_had_it_unless_again(self, anjali: User) -> None:
        for words, count in (([], 1), ([], 0), (["--again"], 1)):
            said = StringIO()
            call_command("send_report", str(LAST), *words, stdout=said)
            assert f"goes to {count} more" in said.getvalue()
        assert mails() == [anjali.email] * 2


class TestTheTimeTable:
    @pytest.mark.parametrize(("hours", "due"), [(5.99, False), (6, True), (24 * 20, True)])
    def test_makes_a_report_due_at_six_on_the_first(
        self,
        anjali: User,
        hours: float,
        due: bool,  # noqa: FBT001  # what is expected
    ) -> None:
        assert anjali
        now: datetime = LAST.until + timedelta(hours=hours)
        assert due_month(now) == (LAST if due else None)

    def test_wakes_what_sends_it_however_often(self, anjali: User) -> None:
        for _beat in range(2):
            monthly_report()
            run_due("long", seconds=30)
        assert mails() == [anjali.email]
        assert monthly_report() is False

    def test_of_a_bank_without_people_then_has_nothing_due(self, anjali: User) -> None:
        assert anjali
        assert due_month(clock.start_of(THIS.first.replace(year=1990)) + timedelta(days=9)) is None


class TestPages:
    def test_show_make_and_send_it_again(self, pages: Client, anjali: User) -> None:
        before = text_of(pages.get(ADDRESS))
        assert "was not made yet." in before
        asked = {"month": str(LAST), "copy": "0"}
        for _twice in range(2):
            assert pages.post(f"{ADDRESS}send/", asked).status_code == 302
        run_due("long", seconds=30)
        assert mails() == [anjali.email]
        page = text_of(pages.get(f"{ADDRESS}?month={LAST}"))
        assert "Volumes by branch and channel" in page
        assert '<input type="hidden" name="copy" value="1">' in page
        assert pages.post(f"{ADDRESS}send/", {**asked, "copy": "1"}).status_code == 302
        run_due("long", seconds=30)
        assert mails() == [anjali.email] * 2

    def test_give_the_tables_as_files(self, pages: Client) -> None:
        made_report(LAST, now=clock.now())
        answer: Any = pages.get(f"/admin/monthly-report.csv?month={LAST}&table=balances")
        rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))
        assert rows[0] == ["Branch", "Currency", "Customers", "Cash"]
        assert rows[1][1:] == ["INR", "0.00", "0.00"]
        assert pages.get(f"/admin/monthly-report.csv?month={LAST}&table=x").status_code == 404
        pdf = pages.get(f"/admin/monthly-report.pdf?month={LAST}")
        assert pdf.content.startswith(b"%PDF-1.")

    @pytest.mark.parametrize("month", ["2199-01", "2026-00", "x", "\0"])
    def test_say_what_is_wrong_with_a_month(self, pages: Client, month: str) -> None:
        answer = pages.get(ADDRESS, {"month": month})
        assert answer.status_code == 422
        file = pages.get("/admin/monthly-report.csv", {"month": month})
        assert file.status_code == 302
        sent = pages.post(f"{ADDRESS}send/", {"month": month, "copy": "0"})
        assert sent.status_code == 422


@pytest.mark.parametrize("address", ["/admin/activity/", "/admin/activity.csv"])
def test_whose_activity_is_shown_is_told_who_looked(
    pages: Client, anjali: User, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(snapshots, "LONGEST_POSTING", timedelta(0))
    answer = pages.get(address)
    assert "Asha Rao" in answer.getvalue().decode()
    (look,) = Viewing.objects.filter(viewer=anjali)
    assert (look.subject.full_name, look.what) == ("Asha Rao", "activity")
