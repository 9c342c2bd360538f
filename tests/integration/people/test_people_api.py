"""People over the API: what is shown to whom, and how it is changed."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Approval, Branch, Registration, Role, User, Viewing
from accounts.numbers import shown_user_id
from tests.codes import with_code
from tests.factories import account, person
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def mumbai() -> Branch:
    """Give a branch."""
    return Branch.objects.create(code="MUM", number=201, name="Mumbai")


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def staff(*permissions: str, role: Role = Role.ADMIN, is_superuser: bool = False) -> User:
    one = person(role=role, is_staff=role == Role.ADMIN, is_superuser=is_superuser)
    one.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return one


def ask(
    client: Client, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, Any]:
    """Send a request and return status and answer."""
    answer = client.generic(
        method,
        f"/api/v1/{path}",
        "" if body is None else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )
    return answer.status_code, json.loads(answer.content) if answer.content else None


class TestMe:
    def test_is_what_the_bank_knows_of_the_caller(self, mumbai: Branch) -> None:
        asha = person(branch=mumbai)
        status, me = ask(client_of(asha), "GET", "me")
        assert status == 200
        assert me == {
            "user_id": str(asha.number),
            "full_name": "Asha Rao",
            "email": asha.email,
            "role": "customer",
            "status": "active",
            "branch": {"code": "MUM", "number": "201", "name": "Mumbai"},
            "joined_at": me["joined_at"],
        }

    def test_changes_the_telephone_number_alone(self) -> None:
        asha = person()
        client = client_of(asha)
        status, me = ask(client, "PATCH", "me", {"phone": "+91 98200-12345"})
        assert (status, me["phone"]) == (200, "+919820012345")
        status, me = ask(client, "PATCH", "me", {"phone": ""})
        assert (status, "phone" in me) == (200, False)
        status, problem = ask(client, "PATCH", "me", {"phone": "", "role": "admin"})
        assert (status, problem["code"]) == (422, "unknown_field")

    @pytest.mark.parametrize("phone", ["12345", "+0123456789", "+91\0982001234", "+" + "1" * 16, 7])
    def test_takes_no_number_that_nobody_could_call(self, phone: object) -> None:
        status, problem = ask(client_of(person()), "PATCH", "me", {"phone": phone})
        assert (status, problem["errors"][0]["pointer"]) == (422, "/phone")

    def test_shows_who_looked(self) -> None:
        asha, meera = person(), staff(role=Role.EMPLOYEE)
        ask(client_of(meera), "GET", f"admin/customers/{asha.number}")
        status, log = ask(client_of(asha), "GET", "me/access-log")
        assert status == 200
        assert [(one["viewer"], one["what"]) for one in log["looks"]] == [
            ("Asha Rao", "personal data")
        ]
        status, log = ask(client_of(person()), "GET", "me/access-log")
        assert log == {"looks": [], "has_more": False}


def test_anybody_sees_the_branches(mumbai: Branch) -> None:
    status, found = ask(Client(), "GET", "branches")
    assert (status, found["branches"][0]["code"]) == (200, mumbai.code)


class TestCustomers:
    def test_are_listed_page_by_page_and_told_that_somebody_looked(self, mumbai: Branch) -> None:
        people = [person(full_name=f"Person {number}") for number in range(3)]
        person(full_name="Other", branch=mumbai)
        client = client_of(staff(role=Role.EMPLOYEE))
        status, first = ask(client, "GET", "admin/customers?limit=2&text=person")
        assert status == 200
        assert [one["full_name"] for one in first["people"]] == ["Person 0", "Person 1"]
        assert Viewing.objects.count() == 2
        cursor = first["next_cursor"]
        _status, second = ask(client, "GET", f"admin/customers?limit=2&text=person&cursor={cursor}")
        assert [one["user_id"] for one in second["people"]] == [str(people[2].number)]
        _status, there = ask(client, "GET", "admin/customers?branch=MUM")
        assert [one["full_name"] for one in there["people"]] == ["Other"]

    def test_are_registered_and_invited(
        self,
        mumbai: Branch,
        settings: Settings,
        tmp_path: Any,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        settings.OUTBOX = tmp_path
        settings.EMAIL_BACKEND = "notifications.channels.files.EmailBackend"
        client = client_of(staff("add_user", "view_user"))
        body = {"full_name": "New Person", "email": "new@example.org", "branch": mumbai.code}
        with django_capture_on_commit_callbacks(execute=True):
            status, made = ask(client, "POST", "admin/customers", body)
        assert status == 201
        assert made["user_id"].startswith("201")
        assert Registration.objects.get().account is not None
        status, shown = ask(client, "GET", f"admin/customers/{made['user_id']}")
        assert (status, shown["email"]) == (200, "new@example.org")
        status, problem = ask(client, "POST", "admin/customers", body)
        assert (status, problem["code"]) == (409, "email_taken")
        path = f"admin/customers/{made['user_id']}/invitation"
        assert ask(client, "POST", path) == (204, None)
        assert len(list(tmp_path.iterdir())) == 2

    def test_are_no_staff(self) -> None:
        colleague = staff(role=Role.EMPLOYEE)
        client = client_of(staff("view_user"))
        assert ask(client, "GET", f"admin/customers/{colleague.number}")[0] == 404
        assert ask(client, "GET", f"admin/people/{colleague.number}")[0] == 200

    @pytest.mark.parametrize("user_id", ["1", "10000000018", "x" * 50, "100-0000001-7%00"])
    def test_are_found_by_a_whole_user_id(self, user_id: str) -> None:
        status, problem = ask(client_of(staff("view_user")), "GET", f"admin/customers/{user_id}")
        assert (status, problem["status"]) == (404, 404)


class TestStatus:
    def test_is_changed_with_a_reason_and_shown_with_its_history(self) -> None:
        asha, client = person(), client_of(staff("change_user", "view_user"))
        body = {"status": "suspended", "reason": "stolen card"}
        status, shown = ask(client, "PUT", f"admin/people/{asha.number}/status", body)
        assert (status, shown["status"]) == (200, "suspended")
        assert shown["status_changes"][0]["reason"] == "stolen card"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"status": "gone", "reason": "x"}, "not_a_choice"),
            ({"status": "suspended"}, "required"),
            ({"status": "suspended", "reason": "\u202ex"}, "text_has_format"),
            ({"status": "suspended", "reason": "x" * 201}, "text_too_long"),
            ({"status": "suspended", "reason": "x", "by": 7}, "unknown_field"),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, body: dict[str, Any], code: str) -> None:
        asha, client = person(), client_of(staff("change_user"))
        status, problem = ask(client, "PUT", f"admin/people/{asha.number}/status", body)
        asha.refresh_from_db()
        assert (status, problem["code"], asha.status) == (422, code, "active")


class TestRoles:
    def test_are_asked_for_by_one_and_approved_by_another(self) -> None:
        asha, maker = person(), client_of(staff("change_user", "decide_approval"))
        checker = client_of(staff("view_approval", "decide_approval"))
        body = {"role": "employee", "reason": "begins on Monday"}
        status, asked = ask(maker, "PUT", f"admin/people/{asha.number}/role", body)
        assert (status, asked["state"]) == (202, "waiting")
        path = f"admin/approvals/{asked['id']}/approve"
        status, problem = ask(maker, "POST", path)
        assert (status, problem["code"]) == (403, "own_request")
        status, listed = ask(checker, "GET", "admin/approvals?state=waiting")
        assert [one["id"] for one in listed["approvals"]] == [asked["id"]]
        status, question = ask(checker, "POST", path)
        assert (status, Approval.objects.get().state) == (403, "waiting")
        status, done = ask(checker, "POST", path, **with_code(question))
        assert (status, done["state"], done["result"]["is"]) == (200, "done", "employee")
        asha.refresh_from_db()
        assert asha.role == Role.EMPLOYEE
        status, problem = ask(checker, "POST", path)
        assert (status, problem["code"]) == (409, "already_decided")

    def test_are_refused_with_a_reason(self) -> None:
        asha, maker = person(), client_of(staff("change_user"))
        checker = client_of(staff("decide_approval"))
        body = {"role": "employee", "reason": "begins on Monday"}
        _status, asked = ask(maker, "PUT", f"admin/people/{asha.number}/role", body)
        path = f"admin/approvals/{asked['id']}/refuse"
        assert ask(checker, "POST", path, {"reason": ""})[0] == 422
        status, refused = ask(checker, "POST", path, {"reason": "not yet"})
        assert (status, refused["state"], refused["words"]) == (200, "refused", "not yet")
        assert ask(checker, "POST", "admin/approvals/999/refuse", {"reason": "x"})[0] == 404


class TestNobodyElse:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "admin/customers"),
            ("POST", "admin/customers"),
            ("GET", "admin/people"),
            ("GET", "admin/approvals"),
            ("POST", "admin/approvals/1/approve"),
        ],
    )
    def test_gets_in(self, method: str, path: str) -> None:
        assert ask(Client(), method, path)[0] == 401
        assert ask(client_of(person()), method, path)[0] == 403
        assert ask(client_of(staff()), method, path)[0] == 403
        assert not Viewing.objects.exists()
        assert not Approval.objects.exists()


class TestHolders:
    def test_are_shown_to_each_of_them_owners_first(self) -> None:
        asha, priya = person(), person(full_name="Priya Nair")
        number = account(owner=asha)
        set_holder(number, user=priya.pk, rights="authorised", client=BANK_CLIENT)
        for holder in (asha, priya):
            status, found = ask(client_of(holder), "GET", f"accounts/{number}/holders")
            assert status == 200
            assert [(one["full_name"], one["rights"]) for one in found["holders"]] == [
                ("Asha Rao", "owner"),
                ("Priya Nair", "authorised"),
            ]

    def test_have_a_page(self) -> None:
        asha = person()
        number = account(owner=asha)
        client = client_of(asha)
        assert f"/accounts/{number}/holders/" in client.get(f"/accounts/{number}/").content.decode()
        page = client.get(f"/accounts/{number}/holders/").content.decode()
        assert shown_user_id(asha.number) in page

    def test_are_nobody_elses_business(self) -> None:
        number = account(owner=person())
        stranger = client_of(person())
        assert ask(stranger, "GET", f"accounts/{number}/holders")[0] == 404
        assert stranger.get(f"/accounts/{number}/holders/").status_code == 404
