"""What people see on their own page: what the bank knows, and who looked at it."""

import pytest
from django.test import Client

from accounts.access_log import note_viewed
from accounts.models import Role, User
from tests.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def meera() -> User:
    """Give an employee."""
    return person(full_name="Meera Joshi", role=Role.EMPLOYEE)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestTheCustomer:
    def test_sees_who_looked_newest_first_and_nobody_elses(self, meera: User) -> None:
        asha, other = person(), person()
        note_viewed(viewer=meera.pk, subject=asha.pk, what="personal data")
        note_viewed(viewer=meera.pk, subject=asha.pk, what="operation log")
        note_viewed(viewer=meera.pk, subject=other.pk, what="accounts")
        page = browser(asha).get("/profile/looks/").content.decode()
        assert page.index("Operation log") < page.index("Personal data")
        assert "Meera Joshi" in page
        assert "Accounts ·" not in page

    def test_goes_on_to_older_looks(self, meera: User) -> None:
        asha = person()
        for number in range(30):
            note_viewed(viewer=meera.pk, subject=asha.pk, what=f"look {number:02}")
        client = browser(asha)
        first = client.get("/profile/looks/")
        assert "Look 05" in first.content.decode()
        older = client.get(f"/profile/looks/?before={first.context['older']}").content.decode()
        assert "Look 04" in older
        assert "Look 05" not in older
        assert client.get("/profile/looks/?before=x").status_code == 404


def test_people_see_and_change_what_is_known_of_them() -> None:
    asha = person()
    client = browser(asha)
    assert "100-" in client.get("/profile/").content.decode()
    client.post("/profile/", {"phone": "+91 98200 12345"})
    asha.refresh_from_db()
    assert asha.phone == "+919820012345"
    assert client.post("/profile/", {"phone": "12345"}).status_code == 422
