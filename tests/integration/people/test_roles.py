"""Roles: asked for by one admin, given once another approves."""

import pytest
from django.contrib.auth.models import Group

from accounts.approvals import OwnRequest, approve
from accounts.models import Approval, Role, User, UserStatus
from accounts.roles import ForSuperAdmins, NotActive, OwnRole, ask_role
from accounts.standing import role_of
from accounts.status import change_person_status
from tests import factories
from tests.factories import person
from tests.integration.people.conftest import entries_of

pytestmark = pytest.mark.django_db


def admin(*, is_superuser: bool = False) -> User:
    return factories.checker(is_superuser=is_superuser)


def test_a_role_is_given_once_another_admin_approves() -> None:
    asha, maker, checker = person(), admin(), admin()
    asked = ask_role(asha, role="employee", maker=maker, reason="begins on Monday")
    asha.refresh_from_db()
    assert asha.role == Role.CUSTOMER
    done = approve(asked.pk, checker=checker.pk)
    asha.refresh_from_db()
    assert (done.state, done.result) == ("done", {"was": "customer", "is": "employee"})
    assert (asha.role, asha.is_staff) == (Role.EMPLOYEE, False)
    entry = entries_of(asha)[-1]
    assert (entry.by, entry.credential) == (checker, f"approval:{asked.pk}")


def test_another_role_takes_away_the_permissions_of_the_old_one() -> None:
    teller, chiefs = admin(), [admin(is_superuser=True) for _ in range(2)]
    teller.groups.add(Group.objects.create(name="Cashiers"))
    asked = ask_role(teller, role="employee", maker=chiefs[0], reason="changes")
    approve(asked.pk, checker=chiefs[1].pk)
    teller.refresh_from_db()
    assert not teller.groups.exists()
    assert not teller.is_staff


def test_super_admins_are_made_by_super_admins_alone() -> None:
    asha, chief = person(), admin(is_superuser=True)
    with pytest.raises(ForSuperAdmins):
        ask_role(asha, role="superadmin", maker=admin(), reason="x")
    asked = ask_role(asha, role="superadmin", maker=chief, reason="x")
    failed = approve(asked.pk, checker=admin().pk)
    asha.refresh_from_db()
    assert (failed.state, role_of(asha)) == ("failed", "customer")
    again = ask_role(asha, role="superadmin", maker=chief, reason="x")
    approve(again.pk, checker=admin(is_superuser=True).pk)
    asha.refresh_from_db()
    assert role_of(asha) == "superadmin"


def test_super_admins_are_unmade_by_super_admins_alone() -> None:
    with pytest.raises(ForSuperAdmins):
        ask_role(admin(is_superuser=True), role="customer", maker=admin(), reason="x")


def test_nobody_asks_for_themselves() -> None:
    chief = admin(is_superuser=True)
    with pytest.raises(OwnRole):
        ask_role(chief, role="employee", maker=chief, reason="x")


def test_who_is_suspended_meanwhile_gets_no_role() -> None:
    asha, maker, checker = person(), admin(), admin()
    asked = ask_role(asha, role="employee", maker=maker, reason="x")
    change_person_status(
        asha.pk, status=UserStatus.SUSPENDED, changed_by=checker, reason="stolen card"
    )
    assert approve(asked.pk, checker=checker.pk).state == "failed"
    asha.refresh_from_db()
    with pytest.raises(NotActive):
        ask_role(asha, role="employee", maker=maker, reason="x")


def test_who_is_something_else_by_now_is_asked_for_anew() -> None:
    asha, maker, checker = person(), admin(), admin()
    first = ask_role(asha, role="admin", maker=maker, reason="x")
    second = ask_role(asha, role="employee", maker=maker, reason="x")
    approve(second.pk, checker=checker.pk)
    outdated = approve(first.pk, checker=checker.pk)
    asha.refresh_from_db()
    assert (outdated.state, asha.role) == ("failed", Role.EMPLOYEE)
    assert "it is employee now" in outdated.words


def test_nobody_approves_their_own_promotion() -> None:
    maker, checker = admin(is_superuser=True), admin()
    asked = ask_role(checker, role="superadmin", maker=maker, reason="x")
    with pytest.raises(OwnRequest):
        approve(asked.pk, checker=checker.pk)


def test_asking_twice_is_asking_once() -> None:
    asha, maker = person(), admin()
    first = ask_role(asha, role="employee", maker=maker, reason="begins on Monday")
    second = ask_role(asha, role="employee", maker=maker, reason="begins on Monday")
    assert first == second
    assert Approval.objects.count() == 1
