"""The demo bank: believable, the same every time, and only where it is wanted."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Account, CardState, Product, Role, User
from core.clock import bank_day
from loans.models import LoanApplication
from transactions.card_payments.showing import cards_shown, payments_shown
from transactions.demo.loading import PASSWORD, load_demo, logins
from transactions.demo.people import make_people
from transactions.ledger.reads import balances
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.models import Payee, StandingOrder
from transactions.payments.scheduling import send_due_transfers
from transactions.products.terms import rates_on
from transactions.selectors import accounts_of
from transactions.statements.pages import statement

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def demo(settings: Settings) -> int:
    """Give a bank with the demo in it; the number of its transfers."""
    settings.BANK_DEMO = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return load_demo(now=NOW, report=lambda _done, _total: None)


def test_makes_customers_employees_and_admins(demo: int) -> None:
    roles = [login.role for login in logins()]
    assert (roles.count(Role.CUSTOMER), roles.count(Role.EMPLOYEE), roles.count(Role.ADMIN)) == (
        24,
        2,
        3,
    )
    assert demo > 5_000
    assert {account.currency for account in Account.objects.all()} == {"INR", "CZK", "JPY", "KWD"}


def test_no_balance_was_ever_below_zero_and_the_books_agree(demo: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(least(debit_after, credit_after)), count(*), min(event_at), max(event_at)"
            " FROM ledger.journal"
        )
        lowest, count, first, last = cursor.fetchone()
        cursor.execute(
            "SELECT currency, sum(debit_balance) - sum(credit_balance) FROM ledger.trial_balance"
            " GROUP BY currency"
        )
        differences = dict(cursor.fetchall())
    assert lowest >= 0
    assert count == demo
    assert timedelta(days=390) < last - first < timedelta(days=430)
    assert last < NOW
    assert set(differences.values()) == {0}


@pytest.mark.usefixtures("demo")
def test_every_customer_has_money_and_a_history_in_the_order_of_time() -> None:
    for user in User.objects.filter(role=Role.CUSTOMER):
        accounts = accounts_of(user.pk)
        page = statement(user.pk, number=accounts[0].number, before=None, limit=100)
        times = [movement.event_at for movement in page.movements]
        assert accounts[0].balance.minor > 0
        assert len(times) == 100
        assert times == sorted(times, reverse=True)


@pytest.mark.usefixtures("demo")
def test_loading_again_changes_nothing() -> None:
    before = [balance.balance for balance in balances(Account.objects.values_list("pk", flat=True))]
    assert load_demo(now=NOW + timedelta(days=40), report=lambda _done, _total: None) == 0
    after = [balance.balance for balance in balances(Account.objects.values_list("pk", flat=True))]
    assert before == after


def test_broken_off_it_leaves_nothing_and_begins_again() -> None:
    def break_off(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        load_demo(now=NOW, report=break_off)
    assert not User.objects.exists()
    assert load_demo(now=NOW, report=lambda _done, _total: None) > 5_000


def test_the_people_are_the_same_every_time() -> None:
    from random import Random

    assert make_people(Random(1)) == make_people(Random(1))
    assert make_people(Random(1)) != make_people(Random(2))


def test_a_bank_that_is_no_demo_refuses(settings: Settings) -> None:
    settings.BANK_DEMO = False
    with pytest.raises(CommandError, match="not a demo"):
        call_command("load_demo")
    assert not User.objects.exists()


@pytest.mark.usefixtures("demo")
def test_shows_the_log_ins() -> None:
    out = io.StringIO()
    call_command("load_demo", show_logins=True, stdout=out)
    shown = out.getvalue()
    assert PASSWORD in shown
    assert "anjali.bhatt@demo.example" in shown
    assert "customer" in shown


@pytest.mark.usefixtures("demo")
def test_a_customer_can_log_in_with_the_shown_password(client: Client) -> None:
    login = next(one for one in logins() if one.role == Role.CUSTOMER)
    answer = client.post("/auth/login/", {"login": login.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert login.name in answer.content.decode()


@pytest.mark.usefixtures("demo")
def test_all_savings_earn() -> None:
    savings = Account.objects.filter(product=Product.SAVINGS).values_list("number", flat=True)
    rates = rates_on(bank_day(NOW))
    assert set(savings) == set(rates)
    assert min(rates.values()) > 0


@pytest.mark.usefixtures("demo")
def test_people_have_payees_save_by_standing_order_and_are_offered_loans() -> None:
    offered = LoanApplication.objects.get()
    assert offered.state == "offered"
    assert offered.applicant.email == "asha.rao@demo.example"
    assert offered.offered_until == bank_day(NOW) + timedelta(days=14)
    payees, orders = Payee.objects.all(), StandingOrder.objects.all()
    assert len(payees) > 40
    assert {payee.currency for payee in payees} == {"INR", "CZK"}
    assert all(payee.name and payee.nickname for payee in payees)
    assert len(orders) > 10
    assert all(order.pay_date and order.pay_date > bank_day(NOW) for order in orders)
    assert queue_standing_orders(now=NOW + timedelta(days=40)) == len(orders)
    assert send_due_transfers(now=NOW + timedelta(days=40)) > 0


@pytest.mark.usefixtures("demo")
def test_asha_has_a_card_that_pays_and_one_to_activate() -> None:
    asha = User.objects.get(full_name="Asha Rao")
    states = {view.state: view.card for view in cards_shown(asha.pk, now=NOW)}
    assert set(states) == {"active", "issued"}
    card = states[CardState.ACTIVE]
    found = payments_shown(asha.pk, card_id=card.pk, after=None, limit=50, now=NOW)
    assert {view.state for view in found} == {"captured", "declined"}
