"""Who looked at whose data: noted before it is shown, and shown to whom it is about."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client

from accounts.access_log import note_all_viewed, note_viewed
from accounts.models import Account, Branch, Holding, Role, User, Viewing
from tests.factories import account, instant, person
from tests.integration.test_cash_desk import DESK, booking, filling

pytestmark = pytest.mark.django_db


@pytest.fixture
def meera() -> User:
    """Give an employee."""
    return person(full_name="Meera Joshi", role=Role.EMPLOYEE)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def seen() -> list[tuple[Any, ...]]:
    return list(Viewing.objects.order_by("pk").values_list("viewer", "subject", "what"))


def held(number: int, user: User) -> None:
    """Let the head office know who holds an account."""
    branch, _ = Branch.objects.get_or_create(code="HO", number=100, name="Head office")
    known = Account.objects.create(
        number=number, branch=branch, product="current", currency="INR", opened_at=instant()
    )
    Holding.objects.create(account=known, user=user, rights="owner")


class TestALook:
    def test_is_noted_once_for_ten_minutes(self, meera: User) -> None:
        asha = person()
        for _ in range(3):
            note_viewed(viewer=meera.pk, subject=asha.pk, what="personal data")
        note_viewed(viewer=meera.pk, subject=asha.pk, what="personal data", reason="a complaint")
        assert Viewing.objects.count() == 2

    def test_counts_again_later(self, meera: User) -> None:
        asha = person()
        Viewing.objects.create(
            viewer=meera,
            subject=asha,
            what="personal data",
            viewed_at=Now() - timedelta(minutes=11),
        )
        note_viewed(viewer=meera.pk, subject=asha.pk, what="personal data")
        assert Viewing.objects.count() == 2

    def test_at_ones_own_data_is_no_matter(self, meera: User) -> None:
        note_viewed(viewer=meera.pk, subject=meera.pk, what="personal data")
        assert seen() == []

    def test_at_many_is_a_row_for_each_who_is_known(self, meera: User) -> None:
        people = [person().pk for _ in range(3)]
        note_all_viewed(viewer=meera.pk, subjects=[*people, 10**9], what="list of people")
        assert [subject for _viewer, subject, _what in seen()] == sorted(people)


class TestTheOperationLog:
    def test_notes_for_all_whose_accounts_it_shows(self, meera: User) -> None:
        asha, other = person(), person()
        number = account(balance=100, owner=asha)
        held(number, asha)
        held(account(owner=other), other)
        page = browser(meera).get(f"/staff/operations/?account={number}")
        assert page.status_code == 200
        assert seen() == [(meera.pk, asha.pk, "operation log")]

    def test_notes_for_all_who_are_in_a_file(self, meera: User) -> None:
        asha = person()
        held(account(balance=100, owner=asha), asha)
        answer = browser(meera).get("/staff/operations.csv")
        assert b"".join(answer)
        assert seen() == [(meera.pk, asha.pk, "operation log")]


class TestTheCashDesk:
    def test_notes_whose_account_a_teller_books_on(self) -> None:
        teller, asha = person(role=Role.ADMIN, is_staff=True), person()
        may = Permission.objects.filter(codename__in=["book_cash", "fill_with_cash"])
        teller.user_permissions.set(may)
        number = account(owner=asha)
        held(number, asha)
        desk = browser(teller)
        desk.post(DESK, filling("till"))
        desk.post(DESK, booking(number))
        assert seen() == [(teller.pk, asha.pk, "cash desk")]


class TestTheAdmin:
    def test_notes_looks_at_people_and_at_accounts(self) -> None:
        chief = person(role=Role.ADMIN, is_staff=True, is_superuser=True)
        asha = person()
        number = account(owner=asha)
        held(number, asha)
        client = browser(chief)
        for address in (
            "user/",
            f"user/{asha.pk}/change/",
            "account/",
            f"account/{number}/change/",
        ):
            assert client.get(f"/admin/accounts/{address}").status_code == 200
        assert seen() == [
            (chief.pk, asha.pk, what)
            for what in ("list of people", "personal data", "list of accounts", "account")
        ]

    @pytest.mark.parametrize("page", ["user/_2B{}/change/", "user/{}/history/", "user/{}/status/"])
    def test_notes_a_look_however_the_person_is_named(self, page: str) -> None:
        chief = person(role=Role.ADMIN, is_staff=True, is_superuser=True)
        asha = person()
        assert browser(chief).get(f"/admin/accounts/{page.format(asha.pk)}").status_code == 200
        assert seen() == [(chief.pk, asha.pk, "personal data")]

    def test_finds_nobody_by_what_is_typed(self) -> None:
        chief = person(role=Role.ADMIN, is_staff=True, is_superuser=True)
        asked = {"app_label": "accounts", "model_name": "viewing", "field_name": "subject"}
        answer = browser(chief).get("/admin/autocomplete/", {**asked, "term": "a"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("pk", ["0", "x", "9" * 40])
    def test_bears_addresses_of_nobody(self, pk: str) -> None:
        client = browser(person(role=Role.ADMIN, is_staff=True, is_superuser=True))
        for model in ("user", "account", "approval", "viewing"):
            assert client.get(f"/admin/accounts/{model}/{pk}/change/").status_code in {302, 404}
