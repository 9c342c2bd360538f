"""Fraud alerts from the journal and the door to the queue, and what is decided about them."""

import re
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client

from accounts.models import Approval, LogIn, LogInResult, Role, User, Viewing
from accounts.models.audit_entries import AuditEntry
from core.clock import now
from notifications.notices.models import Notice
from tests.factories import account, bank_accounts, customer_account, inr, order, person
from tests.integration.webhooks.test_feeding import wait_for_others
from transactions.branches.registry import HEAD_OFFICE
from transactions.chart import Place
from transactions.fraud.findings import Finding, Rule
from transactions.fraud.models import AlertState, FraudAlert
from transactions.fraud.partitions import add_alert_partitions
from transactions.fraud.raising import alert_id, raise_alerts
from transactions.fraud.watching import watch_all, watch_log_ins, watch_page
from transactions.ledger.posting import Channel, Kind, Order, Transfer, post
from transactions.tasks import watch_for_fraud

pytestmark = pytest.mark.usefixtures("shared_bank")
QUEUE = "/admin/transactions/fraudalert/"


def watch() -> int:
    """Look at all that is committed by now."""
    wait_for_others(HEAD_OFFICE)
    return watch_all(now=now(), seconds=60)


def burst(debit: int, credit: int, *, size: int = 9) -> list[UUID]:
    return [
        post(Transfer(debit, credit, inr(100)), order=order()).transfer_id for _n in range(size)
    ]


def officer(*permissions: str) -> User:
    made = person(role=Role.ADMIN, is_staff=True)
    named = permissions or ("view_fraudalert", "decide_fraudalert", "govern_account")
    made.user_permissions.set(Permission.objects.filter(codename__in=named))
    return made


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def raised(
    rule: Rule = Rule.ANOMALY, *, account: int | None = None, person: int | None = None
) -> FraudAlert:
    """Raise an alert about an account or a person."""
    facts = {
        "amount": 500_000,
        "largest": 100_000,
        "currency": "INR",
        "score": "12.0",
        "alarm": "9.0",
        "parts": {"amount": 80, "payee": 20},
    }
    once = str(uuid4())
    found = Finding(rule=rule, at=now(), facts=facts, once_for=once, account=account, person=person)
    raise_alerts([found], now=now())
    return FraudAlert.objects.get(pk=alert_id(found))


class TestWatching:
    def test_raises_one_alert_for_a_burst_however_often_it_looks(self) -> None:
        payer, payee = account(balance=100_000), account()
        watch()
        sent = burst(payer, payee)
        wait_for_others(HEAD_OFFICE)
        assert watch_for_fraud() == 1
        alert = FraudAlert.objects.get(account=payer)
        assert (alert.rule, alert.state) == ("velocity", "open")
        assert alert.facts == {"count": 9, "minutes": 10, "usual": 1}
        assert set(alert.transfers) == set(sent)
        burst(payer, payee)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ledger.tail WHERE name = 'fraud'")
            assert cursor.fetchone() == (1,)
        assert watch() == 0

    def test_that_broke_off_finds_the_same_again_and_raises_nothing_twice(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payer, payee = account(balance=100_000), account()
        burst(payer, payee)
        wait_for_others(HEAD_OFFICE)
        with monkeypatch.context() as broken:
            broken.setattr("transactions.fraud.watching.raise_alerts", lambda *_a, **_o: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                watch_page(node=HEAD_OFFICE, now=now())
        assert watch() == 1
        assert FraudAlert.objects.filter(account=payer).count() == 1

    def test_leaves_alone_what_the_bank_does_and_what_was_brought_in(self) -> None:
        payer, payee = account(balance=100_000), account()
        for channel in (Channel.BANK, Channel.IMPORT):
            for _each in range(9):
                own = Order(client=0, channel=channel, day=now().date(), key=str(uuid4()))
                post(Transfer(payer, payee, inr(100)), order=own)
        watch()
        assert not FraudAlert.objects.filter(account=payer).exists()

    def test_takes_a_weeks_old_payment_for_no_news(self) -> None:
        payer, payee = account(balance=100_000), account()
        burst(payer, payee)
        wait_for_others(HEAD_OFFICE)
        assert watch_all(now=now() + timedelta(days=8), seconds=60) == 0

    def test_finds_cash_in_pieces(self) -> None:
        mine, till = account(), bank_accounts().number(Place.TILL)
        for _piece in range(3):
            teller = Order(client=0, channel=Channel.TELLER, day=now().date(), key=str(uuid4()))
            post(Transfer(till, mine, inr(4_900_000), Kind.DEPOSIT), order=teller)
        watch()
        assert FraudAlert.objects.get(account=mine).rule == Rule.STRUCTURING

    def test_finds_log_ins_from_two_places(self) -> None:
        asha = person()
        for _usual in range(3):
            logged_in(asha, "Firefox on Linux", "203.0.113.7")
        watch_log_ins(now=now())
        logged_in(asha, "curl", "198.51.100.1")
        assert watch_log_ins(now=now()) == 1
        assert watch_log_ins(now=now()) == 0
        assert FraudAlert.objects.get(person=asha).rule == Rule.TRAVEL


def logged_in(user: User, device: str, address: str) -> None:
    LogIn.objects.create(person=user, device=device, address=address, result=LogInResult.SUCCEEDED)


class TestTable:
    def test_has_a_month_ahead_and_is_added_to_once(self) -> None:
        first = now().date().replace(day=1)
        assert add_alert_partitions(first=first, ahead=14) == 2
        assert add_alert_partitions(first=first, ahead=14) == 0
        raised(account=account())
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM transactions_fraudalert_default")
            assert cursor.fetchone() == (0,)

    def test_forgets_nothing(self) -> None:
        raised(account=account())
        month = f"transactions_fraudalert_{datetime.now(tz=now().tzinfo):%Y_%m}"
        for table in ("transactions_fraudalert", month):
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                connection.cursor() as cursor,
                transaction.atomic(),
            ):
                cursor.execute(f"DELETE FROM {table}")


class TestQueue:
    def test_shows_why_and_which_movements(self) -> None:
        payer, payee = account(balance=100_000), account()
        burst(payer, payee)
        watch()
        alert = FraudAlert.objects.get(account=payer)
        client = browser(officer())
        assert "this customer&#x27;s usual is 1" in client.get(QUEUE).content.decode()
        page = client.get(f"{QUEUE}{alert.pk}/change/").content.decode()
        assert page.count('data-label="Recorded"') == len(alert.transfers)

    @pytest.mark.parametrize("rule", [Rule.ANOMALY, Rule.NEW_PAYEE])
    def test_notes_a_decision_with_reason_and_who(self, rule: Rule) -> None:
        asha = person()
        alert = raised(rule, account=customer_account(asha))
        admin = officer()
        answer = browser(admin).post(
            f"{QUEUE}{alert.pk}/decide/",
            {"state": "confirmed", "reason": "called her", "freeze": "on"},
            follow=True,
        )
        assert "It is decided." in answer.content.decode()
        alert.refresh_from_db()
        assert (alert.state, alert.reason, alert.decided_by) == ("confirmed", "called her", admin)
        of_alerts = AuditEntry.objects.filter(pgh_obj_model="transactions.FraudAlert")
        entry = of_alerts.latest("pgh_created_at")
        assert (entry.pgh_label, entry.by, entry.reason) == ("update", admin, "called her")
        assert Approval.objects.latest("pk").payload["status"] == "frozen"
        assert "suspicious" in Notice.objects.get(person=asha).data["title"]
        assert Viewing.objects.filter(subject=asha, what="security check").exists()
        again = browser(admin).post(
            f"{QUEUE}{alert.pk}/decide/", {"state": "dismissed", "reason": "no"}
        )
        assert again.status_code == 422

    def test_tells_nobody_of_structuring(self) -> None:
        asha = person()
        alert = raised(Rule.STRUCTURING, account=customer_account(asha))
        FraudAlert.objects.filter(pk=alert.pk).update(facts=_structured())
        browser(officer()).post(
            f"{QUEUE}{alert.pk}/decide/", {"state": "confirmed", "reason": "reported"}
        )
        assert FraudAlert.objects.get(pk=alert.pk).state == AlertState.CONFIRMED
        assert not Notice.objects.filter(person=asha).exists()

    @pytest.mark.parametrize(
        "wrong",
        [{"state": "open"}, {"reason": ""}, {"reason": "a\nb"}, {"state": ""}],
    )
    def test_refuses_what_is_no_decision(self, wrong: dict[str, str]) -> None:
        alert = raised(account=account())
        asked = {"state": "watched", "reason": "seen", **wrong}
        assert browser(officer()).post(f"{QUEUE}{alert.pk}/decide/", asked).status_code == 422
        assert FraudAlert.objects.get(pk=alert.pk).state == AlertState.OPEN

    def test_lets_nobody_decide_about_themselves_or_their_own_account(self) -> None:
        admin = officer()
        for alert in (raised(person=admin.pk), raised(account=customer_account(admin))):
            answer = browser(admin).post(
                f"{QUEUE}{alert.pk}/decide/", {"state": "dismissed", "reason": "it was me"}
            )
            assert "what concerns you" in answer.content.decode()
            assert FraudAlert.objects.get(pk=alert.pk).state == AlertState.OPEN

    def test_is_read_by_employees_page_by_page_and_by_state(self) -> None:
        for _each in range(27):
            raised(account=account())
        clerk = browser(person(role=Role.EMPLOYEE))
        page = clerk.get("/staff/fraud-alerts/").content.decode()
        assert page.count('<td class="what"') == 25
        older = re.search(r'href="(\?after=[^"]+)"', page)
        assert older is not None
        assert '<td class="what"' in clerk.get(f"/staff/fraud-alerts/{older[1]}").content.decode()
        assert clerk.get("/staff/fraud-alerts/?after=x").status_code == 400
        confirmed = clerk.get("/staff/fraud-alerts/?state=confirmed").content.decode()
        assert confirmed.count('<td class="what"') == len(
            FraudAlert.objects.filter(state="confirmed")
        )

    def test_lets_only_those_decide_who_may(self) -> None:
        alert = raised(person=person().pk, rule=Rule.ANOMALY)
        reader = browser(officer("view_fraudalert"))
        assert reader.get(f"{QUEUE}{alert.pk}/change/").status_code == 200
        assert reader.get(f"{QUEUE}{alert.pk}/decide/").status_code == 403
        assert browser(officer("view_holiday")).get(QUEUE).status_code == 403


def _structured() -> dict[str, object]:
    return {
        "count": 3,
        "is_out": False,
        "total": 14_700_000,
        "reported": 5_000_000,
        "days": 3,
        "currency": "INR",
    }


def test_what_waits_at_one_node_takes_no_time_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: set[str] = set()

    def page(*, node: str, now: datetime) -> tuple[int, int]:
        assert now == at
        read.add(node)
        return 1_000_000, 0

    place = "transactions.fraud.watching"
    monkeypatch.setattr(f"{place}.nodes", lambda: ["MUM", "DEL"])
    monkeypatch.setattr(f"{place}.watch_page", page)
    monkeypatch.setattr(f"{place}.watch_log_ins", lambda **_now: 0)
    at = now()
    assert watch_all(now=at, seconds=0.1) == 0
    assert read == {"MUM", "DEL"}
