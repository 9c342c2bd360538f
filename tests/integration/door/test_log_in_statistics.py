"""Statistics of log-ins, by month and role."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.log_in_statistics import MonthOfLogIns, log_ins_since, months_of_log_ins
from accounts.models import LogIn, LogInResult, Role, User
from tests.factories import person

pytestmark = pytest.mark.django_db

PAGE = "/admin/log-ins/"
FILE = "/admin/log-ins.csv"
# In Kolkata it is March already.
LAST_OF_FEBRUARY = datetime(2026, 2, 28, 19, 0, tzinfo=UTC)
MARCH = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


def tried(who: User | None, at: datetime, result: LogInResult = LogInResult.SUCCEEDED) -> None:
    LogIn.objects.create(person=who, at=at, device="test", result=result)


@pytest.fixture
def march() -> User:
    """Let a customer log in twice and an admin once in March; two failed, of one nobody knows."""
    asha, admin = person(), person(role=Role.ADMIN, is_staff=True, is_superuser=True)
    tried(asha, LAST_OF_FEBRUARY)
    tried(asha, MARCH)
    tried(admin, MARCH)
    tried(asha, MARCH, LogInResult.WRONG_PASSWORD)
    tried(None, MARCH, LogInResult.LOCKED_OUT)
    return admin


def text_of(client: Client, address: str, **asked: str) -> str:
    answer = client.get(address, asked)
    assert answer.status_code == 200
    return answer.getvalue().decode()


def test_counts_by_the_banks_months_and_by_role(march: User) -> None:
    assert march.is_superuser
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    found = months_of_log_ins(since=since, until=until)
    first = datetime(2026, 3, 1, tzinfo=UTC).date()
    assert found == [
        MonthOfLogIns(first, None, 3, 2, 1, 2),
        MonthOfLogIns(first, "", 0, 1, 1, 0),
        MonthOfLogIns(first, "customer", 2, 1, 0, 1),
        MonthOfLogIns(first, "superadmin", 1, 0, 0, 1),
    ]
    assert log_ins_since(MARCH).log_ins == 2


def test_are_a_page_and_a_file_of_the_same_months(march: User) -> None:
    client = Client()
    client.force_login(march)
    asked = {"first": "2026-03", "last": "2026-03"}
    assert "March 2026" in text_of(client, PAGE, **asked)
    lines = text_of(client, FILE, **asked).split()
    assert lines[0] == "month,role,log_ins,failures,lock_outs,people"
    assert lines[1:] == [
        "2026-03,all,3,2,1,2",
        "2026-03,unknown,0,1,1,0",
        "2026-03,customer,2,1,0,1",
        "2026-03,superadmin,1,0,0,1",
    ]
    assert "Nobody tried" in text_of(client, PAGE, first="2025-01", last="2025-02")


@pytest.mark.parametrize(
    "asked",
    [{"first": "2026-05", "last": "2026-04"}, {"first": "March"}, {"last": "9999-12"}],
    ids=["backwards", "no month", "the last month of all"],
)
def test_refuse_months_that_are_none(march: User, asked: dict[str, str]) -> None:
    client = Client()
    client.force_login(march)
    assert client.get(PAGE, asked).status_code == 422
    assert client.get(FILE, asked).status_code == 302


def test_are_for_those_who_may_see_log_ins() -> None:
    somebody = person(role=Role.ADMIN, is_staff=True)
    client = Client()
    client.force_login(somebody)
    assert client.get(PAGE).status_code == 403
    somebody.user_permissions.set(Permission.objects.filter(codename="view_login"))
    assert client.get(PAGE).status_code == 200
