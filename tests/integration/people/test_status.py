"""How people stand with the bank: who changes it, and what is kept of it."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Account, Branch, Holding, Role, StatusChange, User, UserStatus
from accounts.status import (
    HoldsAccounts,
    OwnStatus,
    PersonClosed,
    StatusOfStaff,
    change_person_status,
)
from core.errors import DomainError
from tests.factories import instant, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    """Give an admin who is no super admin."""
    return person(full_name="Anjali Bhatt", role=Role.ADMIN, is_staff=True)


def change(one: User, status: UserStatus, by: User, reason: str = "asked to") -> User:
    return change_person_status(one.pk, status=status, changed_by=by, reason=reason)


class TestSuspending:
    def test_is_kept_with_who_when_and_why(self, admin: User) -> None:
        asha = person()
        change(asha, UserStatus.SUSPENDED, admin, "stolen card")
        (kept,) = StatusChange.objects.filter(person=asha)
        assert (kept.status, kept.reason, kept.changed_by) == ("suspended", "stolen card", admin)
        assert kept.changed_at is not None

    def test_ends_what_a_session_may(self, admin: User) -> None:
        asha, client = person(), Client()
        client.force_login(asha)
        assert client.get("/").status_code == 200
        change(asha, UserStatus.SUSPENDED, admin)
        assert client.get("/").status_code == 302

    def test_is_undone_by_letting_in_again(self, admin: User) -> None:
        asha = person()
        change(asha, UserStatus.SUSPENDED, admin)
        change(asha, UserStatus.ACTIVE, admin)
        asha.refresh_from_db()
        assert (asha.status, asha.is_active) == ("active", True)

    def test_again_changes_nothing(self, admin: User) -> None:
        asha = person()
        change(asha, UserStatus.SUSPENDED, admin)
        change(asha, UserStatus.SUSPENDED, admin)
        assert StatusChange.objects.count() == 1


class TestClosing:
    def test_is_for_good(self, admin: User) -> None:
        asha = person()
        change(asha, UserStatus.CLOSED, admin)
        with pytest.raises(PersonClosed):
            change(asha, UserStatus.ACTIVE, admin)

    def test_waits_until_all_accounts_are_closed(self, admin: User) -> None:
        asha = person()
        branch = Branch.objects.create(code="HO", number=100, name="Head office")
        account = Account.objects.create(
            number=1, branch=branch, product="current", currency="INR", opened_at=instant()
        )
        Holding.objects.create(account=account, user=asha, rights="authorised")
        with pytest.raises(HoldsAccounts):
            change(asha, UserStatus.CLOSED, admin)
        Account.objects.update(status="closed")
        assert change(asha, UserStatus.CLOSED, admin).status == UserStatus.CLOSED


class TestNobodyChanges:
    def test_their_own_status(self, admin: User) -> None:
        with pytest.raises(OwnStatus):
            change(admin, UserStatus.SUSPENDED, admin)

    @pytest.mark.parametrize("role", [Role.EMPLOYEE, Role.ADMIN])
    def test_that_of_staff_but_super_admins(self, admin: User, role: Role) -> None:
        colleague = person(role=role)
        with pytest.raises(StatusOfStaff):
            change(colleague, UserStatus.SUSPENDED, admin)
        chief = person(role=Role.ADMIN, is_superuser=True, is_staff=True)
        assert not change(colleague, UserStatus.SUSPENDED, chief).is_active

    @pytest.mark.parametrize("reason", ["", "  ", "a\0b", "\u202eno", "x" * 201])
    def test_it_without_a_readable_reason(self, admin: User, reason: str) -> None:
        asha = person()
        with pytest.raises(DomainError):
            change(asha, UserStatus.SUSPENDED, admin, reason)
        assert not StatusChange.objects.exists()

    def test_whether_somebody_is_let_in_apart_from_it(self) -> None:
        with pytest.raises(IntegrityError, match="user_is_active_by_status"), transaction.atomic():
            User.objects.filter(pk=person().pk).update(is_active=False)
