"""People in the Django admin: registering, status, roles, and the inbox of approvals."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models.functions import Now
from django.test import Client

from accounts.models import Approval, Branch, Role, Session, User, UserStatus
from accounts.numbers import shown_user_id
from accounts.roles import ask_role
from accounts.status import change_person_status
from tests.codes import mailed_code
from tests.factories import customer_account, person

pytestmark = pytest.mark.django_db


def staff(*permissions: str, is_superuser: bool = False) -> User:
    one = person(role=Role.ADMIN, is_staff=True, is_superuser=is_superuser)
    one.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return one


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


class TestACustomer:
    def test_is_registered(self, settings: Any, tmp_path: Any) -> None:
        settings.OUTBOX = tmp_path
        settings.EMAIL_BACKEND = "notifications.channels.files.EmailBackend"
        Branch.objects.create(code="MUM", number=201, name="Mumbai")
        client = browser(staff("add_user", "view_user"))
        typed = {"full_name": "New Person", "email": "new@example.org", "branch": "MUM"}
        page = text_of(client.post("/admin/accounts/user/add/", typed, follow=True))
        assert "The customer is registered" in page
        again = client.post("/admin/accounts/user/add/", typed)
        assert again.status_code == 422
        assert "Somebody has this e-mail address already." in text_of(again)
        new = User.objects.get(email="new@example.org")
        manager = browser(staff("change_user", "view_user"))
        assert "Send the invitation again" in text_of(
            manager.get(f"/admin/accounts/user/{new.pk}/change/")
        )
        manager.post(f"/admin/accounts/user/{new.pk}/invitation/")
        assert len(list(tmp_path.iterdir())) == 2

    def test_is_suspended_with_a_reason(self) -> None:
        asha, client = person(), browser(staff("change_user", "view_user"))
        address = f"/admin/accounts/user/{asha.pk}/status/"
        assert client.get(address).status_code == 200
        assert client.post(address, {"status": "suspended", "reason": ""}).status_code == 422
        client.post(address, {"status": "suspended", "reason": "stolen card"})
        asha.refresh_from_db()
        assert asha.status == "suspended"

    def test_is_not_changed_by_who_may_only_look(self) -> None:
        asha, client = person(), browser(staff("view_user"))
        assert client.get(f"/admin/accounts/user/{asha.pk}/change/").status_code == 200
        for page in ("status", "role", "invitation"):
            address = f"/admin/accounts/user/{asha.pk}/{page}/"
            assert client.post(address, {"status": "closed", "reason": "x"}).status_code == 403


class TestStaff:
    def test_is_changed_by_super_admins_alone(self) -> None:
        teller = staff("book_cash")
        address = f"/admin/accounts/user/{teller.pk}/change/"
        typed = {"full_name": "Another", "phone": "", "birth_date": "", "district": ""}
        assert browser(staff("change_user", "view_user")).post(address, typed).status_code == 403
        chief = browser(staff(is_superuser=True))
        assert 'name="user_permissions"' in text_of(chief.get(address))
        permission = Permission.objects.get(codename="fill_with_cash")
        chief.post(address, {**typed, "user_permissions": [permission.pk]})
        assert list(teller.user_permissions.all()) == [permission]

    def test_is_a_teller_by_a_group_that_every_bank_has(self) -> None:
        somebody = staff()
        somebody.groups.add(Group.objects.get(name="Tellers"))
        client = browser(somebody)
        assert "Cash desk" in text_of(client.get("/admin/"))
        assert client.get("/admin/transactions/cashdesk/").status_code == 200
        assert client.get("/admin/transactions/accountdesk/").status_code == 403
        found = text_of(browser(staff(is_superuser=True)).get("/admin/auth/group/"))
        assert "Loan officers" in found

    def test_gives_itself_no_permission_and_no_rank(self) -> None:
        chief = staff(is_superuser=True)
        page = text_of(browser(chief).get(f"/admin/accounts/user/{chief.pk}/change/"))
        assert 'name="user_permissions"' not in page
        assert 'name="is_superuser"' not in page
        assert 'name="role"' not in page


def test_a_person_shows_their_user_id_how_they_came_to_stand_and_when_they_were_here() -> None:
    asha, anjali = person(), staff(is_superuser=True)
    asha.refresh_from_db()
    change_person_status(
        asha.pk, status=UserStatus.SUSPENDED, changed_by=anjali, reason="a stolen card"
    )
    client = browser(anjali)
    shown = text_of(client.get(f"/admin/accounts/user/{asha.pk}/change/"))
    assert f'data-copy="{shown_user_id(asha.number)}"' in shown
    assert "a stolen card" in shown
    few = browser(staff("view_user", "change_user"))
    assert "a stolen card" not in text_of(few.get(f"/admin/accounts/user/{asha.pk}/change/"))
    here = Session.objects.create(
        person=anjali,
        kind="browser",
        session_key="x" * 32,
        device="test",
        expires_at=Now(),
    )
    here.refresh_from_db()
    listed: Any = client.get("/admin/accounts/user/", {"role__exact": "admin", "q": "Anj"})
    assert listed.status_code == 200
    everybody: Any = client.get("/admin/accounts/user/")
    mine = next(one for one in everybody.context["cl"].result_list if one.pk == anjali.pk)
    assert mine.last_used_at == here.last_used_at


def test_an_account_leads_to_what_was_done_to_it() -> None:
    number = customer_account(person())
    client = browser(staff("view_account"))
    page = text_of(client.get(f"/admin/accounts/account/{number}/change/"))
    assert f"/staff/operations/?account={number}" in page
    assert f"/staff/operations.csv?account={number}" in page


def test_nobody_edits_addresses_and_second_factors_of_others() -> None:
    page = text_of(browser(staff(is_superuser=True)).get("/admin/"))
    assert "emailaddress" not in page
    assert "authenticator" not in page


def test_no_page_has_what_the_policy_forbids() -> None:
    chief = staff(is_superuser=True)
    client = browser(chief)
    pages = (
        "",
        "accounts/user/",
        "accounts/user/?role__exact=admin",
        f"accounts/user/{chief.pk}/change/",
        f"accounts/user/{chief.pk}/status/",
        "accounts/user/add/",
        "accounts/approval/",
        "accounts/branch/add/",
        "accounts/auditentry/",
        "auth/group/add/",
        "notifications/delivery/",
        "transactions/cashdesk/",
        "trial-balance/",
        "log-ins/",
    )
    forbidden = re.compile(
        r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|javascript:|//cdn|alpine"
    )
    for page in pages:
        answer = client.get(f"/admin/{page}")
        assert answer.status_code == 200, page
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"].split("; ")
        assert (page, forbidden.findall(text_of(answer).lower())) == (page, [])
        assert "static/admin.css" in text_of(answer), f"{page} is not dressed"


class TestTheInbox:
    def test_shows_what_is_asked_for_and_decides(self) -> None:
        asha, chief = person(), staff("change_user")
        page = browser(chief).post(
            f"/admin/accounts/user/{asha.pk}/role/",
            {"role": "employee", "reason": "begins on Monday"},
            follow=True,
        )
        assert "Somebody else must approve it now." in text_of(page)
        asked = Approval.objects.get()
        checker = browser(staff("view_approval", "decide_approval"))
        assert "begins on Monday" in text_of(checker.get("/admin/accounts/approval/"))
        inside = f"/admin/accounts/approval/{asked.pk}"
        assert f"{inside}/approve/" in text_of(checker.get(f"{inside}/change/"))
        assert checker.get(f"{inside}/approve/").status_code == 405
        question = checker.post(f"{inside}/approve/")
        asked.refresh_from_db()
        assert asked.state == "waiting"
        challenge = question.context["asking"].form.initial["challenge"]
        wrong = checker.post(f"{inside}/approve/", {"challenge": challenge, "code": "x"})
        assert (wrong.status_code, "not the code" in text_of(wrong)) == (422, True)
        typed = {"challenge": challenge, "code": mailed_code()}
        page = checker.post(f"{inside}/approve/", typed, follow=True)
        assert "It is approved, and done." in text_of(page)
        asha.refresh_from_db()
        assert asha.role == Role.EMPLOYEE
        page = checker.post(f"{inside}/approve/", follow=True)
        assert "decided already" in text_of(page)

    def test_has_no_buttons_for_who_asked_or_may_not(self) -> None:
        maker = staff("change_user", "view_approval", "decide_approval")
        asked = ask_role(person(), role="employee", maker=maker, reason="x")
        inside = f"/admin/accounts/approval/{asked.pk}"
        said = {
            maker: "Somebody else must decide about what you asked for.",
            staff("view_approval"): "You may not decide about requests.",
        }
        for one, words in said.items():
            client = browser(one)
            page = text_of(client.get(f"{inside}/change/"))
            assert words in page
            assert "/approve/" not in page
            client.post(f"{inside}/approve/")
        asked.refresh_from_db()
        assert asked.state == "waiting"

    def test_refuses_with_a_reason(self) -> None:
        asked = ask_role(person(), role="employee", maker=staff(), reason="x")
        checker = browser(staff("view_approval", "decide_approval"))
        address = f"/admin/accounts/approval/{asked.pk}/refuse/"
        assert checker.post(address, {"reason": ""}).status_code == 422
        checker.post(address, {"reason": "not yet"})
        asked.refresh_from_db()
        assert (asked.state, asked.words) == ("refused", "not yet")

    def test_has_a_tab_each_for_what_waits_is_ones_own_and_is_decided(self) -> None:
        me = staff("view_approval", "decide_approval")
        ask_role(person(), role="employee", maker=me, reason="of my own")
        ask_role(person(), role="employee", maker=staff(), reason="of others")
        refused = ask_role(person(), role="employee", maker=staff(), reason="of old")
        Approval.objects.filter(pk=refused.pk).update(state="refused", decided_at=Now())
        client = browser(me)
        for box, words in {
            "waiting": {"of others"},
            "mine": {"of my own"},
            "decided": {"of old"},
            "all": {"of others", "of my own", "of old"},
        }.items():
            page = text_of(client.get("/admin/accounts/approval/", {"box": box}))
            assert {one for one in ("of others", "of my own", "of old") if one in page} == words
        page = text_of(client.get("/admin/accounts/approval/"))
        assert "of others" in page
        assert "of my own" not in page
        assert '<span class="count">1</span>' in page
        wanted = {"box": "all", "q": "of old", "state__exact": "refused"}
        page = text_of(client.get("/admin/accounts/approval/", wanted))
        assert "of old" in page
        assert "of others" not in page
