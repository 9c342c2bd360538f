"""The audit: what was before and after, who did it, and that it stays."""

import psycopg
import pytest
from django.contrib.auth.models import Group, Permission
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from accounts.audit import acting
from accounts.models import Role, User
from accounts.models.audit_entries import AuditEntry
from tests.factories import account, bank_accounts, customer_account, inr, order, person
from tests.integration.people.conftest import entries_of
from tests.servers import TestServer
from transactions.chart import Place
from transactions.ledger.posting import Transfer, post

pytestmark = pytest.mark.django_db

APPEND_ONLY = (
    "accounts_accountevent",
    "accounts_cardevent",
    "accounts_approvalevent",
    "accounts_auditedgroupevent",
    "accounts_credentialchange",
    "accounts_grouppermissionevent",
    "accounts_holdingevent",
    "accounts_membershipevent",
    "accounts_statuschange",
    "accounts_userevent",
    "accounts_userpermissionevent",
    "accounts_viewing",
    "transactions_disputeevent",
    "transactions_fraudalertevent",
    "transactions_limitraiseevent",
)


class TestAChangeOfAPerson:
    def test_is_kept_with_before_and_after_and_who_made_it(self) -> None:
        asha, admin = person(phone=""), person(full_name="Anjali Bhatt")
        with acting(by=admin.pk, credential="session:5f6f", reason="she called"):
            User.objects.filter(pk=asha.pk).update(phone="+919820012345")
        added, changed = entries_of(asha)
        assert (added.pgh_label, changed.pgh_label) == ("insert", "update")
        assert changed.pgh_diff == {"phone": ["", "+919820012345"]}
        assert (changed.by, changed.credential, changed.reason) == (
            admin,
            "session:5f6f",
            "she called",
        )

    def test_is_of_nobody_when_nobody_says_so(self) -> None:
        (entry,) = entries_of(person())
        assert (entry.by, entry.credential, entry.reason) == (None, None, None)

    def test_never_holds_the_password(self) -> None:
        asha = person()
        asha.set_password("another long password")
        asha.save()
        (entry,) = entries_of(asha)
        assert "password" not in entry.pgh_data

    def test_is_seen_when_sql_makes_it(self) -> None:
        asha = person()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_user SET role = 'admin' WHERE id = %s", [asha.pk])
        assert entries_of(asha)[-1].pgh_diff == {"role": ["customer", "admin"]}


class TestPermissions:
    def test_of_a_person_and_of_a_group_are_audited(self) -> None:
        teller, group = person(), Group.objects.create(name="Cashiers")
        permission = Permission.objects.get(codename="book_cash")
        group.permissions.add(permission)
        teller.groups.add(group)
        teller.user_permissions.add(permission)
        teller.groups.clear()
        kinds = {
            entry.pgh_obj_model: [entry.pgh_label, entry.pgh_data]
            for entry in AuditEntry.objects.exclude(pgh_obj_model="accounts.User")
        }
        assert kinds["accounts.UserPermission"][1]["permission_id"] == permission.pk
        assert kinds["accounts.GroupPermission"][1]["group_id"] == group.pk
        assert kinds["accounts.AuditedGroup"][1]["name"] == "Cashiers"
        memberships = AuditEntry.objects.filter(pgh_obj_model="accounts.Membership")
        assert sorted(entry.pgh_label for entry in memberships) == ["delete", "insert"]


class TestWhatWasWritten:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    def test_is_not_the_applications_to_change(self, table: str) -> None:
        for statement in (f"UPDATE {table} SET {_a_column(table)} = 7", f"DELETE FROM {table}"):
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)


class TestMoney:
    def test_is_moved_without_the_audit(self) -> None:
        asha = person()
        debit, credit = account(balance=10_000, owner=asha), account()
        before = AuditEntry.objects.count()
        with acting(by=asha.pk, credential="session:1"):
            post(Transfer(debit, credit, inr(100)), order=order(client=asha.pk))
        assert AuditEntry.objects.count() == before
        assert bank_accounts().number(Place.VAULT)


class TestThePage:
    @pytest.fixture
    def chief(self) -> Client:
        """Give a browser of a super admin."""
        client = Client()
        client.force_login(person(role=Role.ADMIN, is_staff=True, is_superuser=True))
        return client

    def test_shows_what_was_changed_about_one_person_and_by_whom(self, chief: Client) -> None:
        asha, admin = person(), person(full_name="Anjali Bhatt")
        with acting(by=admin.pk, credential="session:5f6f", reason="she called"):
            User.objects.filter(pk=asha.pk).update(phone="+919820012345")
        address = f"/admin/accounts/auditentry/?method=tracks&obj=accounts.User:{asha.pk}"
        page = chief.get(address).content.decode()
        assert "phone: ∅ → +919820012345" in page
        assert "Anjali Bhatt" in page
        assert "she called" in page

    def test_is_a_look_at_whom_it_is_about(self, chief: Client) -> None:
        asha, meera = person(), person(full_name="Meera Iyer")
        number = customer_account(meera)
        chief.get(f"/admin/accounts/auditentry/?method=tracks&obj=accounts.User:{asha.pk}")
        assert [look.what for look in asha.viewings.all()] == ["audit"]
        assert not meera.viewings.exists()
        chief.get(f"/admin/accounts/auditentry/?method=tracks&obj=accounts.Account:{number}")
        assert [look.what for look in meera.viewings.all()] == ["audit"]

    def test_notes_who_sends_a_form_of_the_admin(self, chief: Client) -> None:
        asha = person()
        form = {"full_name": "Asha Rao-Nair", "phone": "", "birth_date": "", "district": ""}
        chief.post(f"/admin/accounts/user/{asha.pk}/change/", form)
        entry = entries_of(asha)[-1]
        assert entry.pgh_diff == {"full_name": ["Asha Rao", "Asha Rao-Nair"]}
        assert entry.by is not None

    @pytest.mark.parametrize(
        "query", ["", "?obj=x", "?obj=accounts.User:0", "?obj=accounts.User:a"]
    )
    def test_bears_any_question(self, chief: Client, query: str) -> None:
        assert chief.get(f"/admin/accounts/auditentry/{query}").status_code in {200, 404}

    def test_is_for_those_who_may_see_it(self) -> None:
        client = Client()
        client.force_login(person(role=Role.ADMIN, is_staff=True))
        assert client.get("/admin/accounts/auditentry/").status_code == 403


def test_branches_have_nothing_of_it(empty_branch: str, server: TestServer) -> None:
    with psycopg.connect(server.superuser_url(empty_branch)) as branch:
        found = branch.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> %s",
            ["django_migrations"],
        ).fetchall()
    assert found == []


def _a_column(table: str) -> str:
    """Return the name of a column that could be changed."""
    return {
        "accounts_credentialchange": "person_id",
        "accounts_statuschange": "person_id",
        "accounts_viewing": "viewer_id",
    }.get(table, "pgh_id")
