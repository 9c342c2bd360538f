"""The API: what it answers, whom it answers, and how it refuses."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client
from rest_framework.exceptions import Throttled

from accounts.models import User
from tests.expectations import nothing_written, statements_counted
from tests.factories import account, bank_accounts, key_of, person, token_of
from tests.unit.test_amounts import NO_AMOUNTS
from tests.unit.test_text import NO_MEMOS
from transactions.chart import Place
from transactions.ledger.accounts import Status, set_limits, set_status
from transactions.ledger.codes import Code
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
FULLWIDTH = {ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def api(asha: User) -> Client:
    """Give a client that the customer is logged in with, by session."""
    client = Client(raise_request_exception=False)
    client.force_login(asha)
    return client


def send(client: Client, body: object, *, key: str | None = None, **headers: str) -> Any:
    """Post a transfer."""
    return client.post(
        "/api/v1/transfers",
        body if isinstance(body, str | bytes) else json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid4()), **headers},
    )


def body_of(debit: int, credit: int, **changes: object) -> dict[str, object]:
    """Return a transfer's body."""
    return {
        "debit_account": str(debit),
        "credit_account": str(credit),
        "amount": "25.00",
        "currency": "INR",
        **changes,
    }


def refusal(answer: Any, status: int) -> Any:
    """Check that an answer is a problem of this status, and return it."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["status"]) == (status, status)
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert {"type", "title", "detail", "code"} <= problem.keys()
    return problem


class TestTransfer:
    def test_moves_money_and_says_where_to_find_it(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        answer = send(api, body_of(payer, payee, memo="rent"))
        sent = answer.json()
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/api/v1/transfers/{sent['id']}"
        assert "Idempotency-Replayed" not in answer.headers
        assert (sent["amount"], sent["currency"], sent["memo"]) == ("25.00", "INR", "rent")
        assert sent["debit_balance_after"] == "75.00"
        shown = api.get(answer.headers["Location"]).json()
        assert sent.items() <= shown.items()
        assert "credit_balance_after" not in shown

    def test_the_same_key_answers_the_same_and_moves_nothing(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        first = send(api, body_of(payer, payee), key="rent-march")
        again = send(api, body_of(payer, payee), key="rent-march")
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.status_code, again.json()) == (201, first.json())
        assert balances([payer])[0].balance == 7_500

    @pytest.mark.parametrize(
        "credential", [token_of, lambda asha: key_of(asha, "transfers:write")], ids=["token", "key"]
    )
    def test_asks_the_database_once_where_all_are_known(
        self, asha: User, monkeypatch: pytest.MonkeyPatch, credential: Callable[[User], str]
    ) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        client = Client(headers={"Authorization": f"Bearer {credential(asha)}"})
        assert send(client, body_of(payer, payee)).status_code == 201
        with statements_counted(monkeypatch) as sent:
            assert send(client, body_of(payer, payee)).status_code == 201
        assert len(sent) == 1, sent

    @pytest.mark.parametrize(("amount", "code"), NO_AMOUNTS.items())
    def test_refuses_what_is_no_amount(
        self, api: Client, asha: User, amount: str, code: str
    ) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        with nothing_written():
            problem = refusal(send(api, body_of(payer, payee, amount=amount)), 422)
        assert problem["code"] == code
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [("/amount", code)]

    @pytest.mark.parametrize(
        ("memo", "code"), [*NO_MEMOS.items(), ("half \ud83d", "text_has_surrogate")]
    )
    def test_refuses_texts_that_hide_something(
        self, api: Client, asha: User, memo: str, code: str
    ) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        with nothing_written():
            problem = refusal(send(api, body_of(payer, payee, memo=memo)), 422)
        assert (problem["code"], problem["errors"][0]["pointer"]) == (code, "/memo")

    @pytest.mark.parametrize(
        ("changes", "pointer", "code"),
        [
            ({"amount": 25}, "/amount", "not_a_string"),
            ({"amount": 25.0}, "/amount", "not_a_string"),
            ({"amount": True}, "/amount", "not_a_string"),
            ({"amount": None}, "/amount", "null"),
            ({"memo": ["rent"]}, "/memo", "not_a_string"),
            ({"debit_account": 100_000_000_017}, "/debit_account", "not_a_string"),
            ({"currency": "inr"}, "/currency", "unknown_currency"),
            ({"currency": "XAU"}, "/currency", "unknown_currency"),
            ({"credit_account": "100000000018"}, "/credit_account", "invalid_account_number"),
            ({"credit_account": "DROP TABLE"}, "/credit_account", "invalid_account_number"),
            (
                {"credit_account": "100000000017".translate(FULLWIDTH)},
                "/credit_account",
                "invalid_account_number",
            ),
            ({"note": "x"}, "/note", "unknown_field"),
            ({"a/b~c": "x"}, "/a~1b~0c", "unknown_field"),
            ({"\ud83d": "x"}, "/\ud83d", "unknown_field"),
        ],
    )
    def test_names_the_field_at_fault(
        self, api: Client, asha: User, changes: dict[str, object], pointer: str, code: str
    ) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        problem = refusal(send(api, body_of(payer, payee, **changes)), 422)
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(pointer, code)]

    def test_names_every_missing_field(self, api: Client) -> None:
        problem = refusal(send(api, {}), 422)
        assert {(one["pointer"], one["code"]) for one in problem["errors"]} == {
            (f"/{name}", "required")
            for name in ("debit_account", "credit_account", "amount", "currency")
        }

    def test_the_ledgers_refusals_arrive_with_code_and_field(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        frozen, limited = account(balance=500, owner=asha), account(balance=9_000, owner=asha)
        set_status(frozen, status=Status.FROZEN, client=BANK_CLIENT, reason="test")
        set_limits(limited, overdraft_limit=0, daily_limit=100, client=BANK_CLIENT, reason="test")
        closed = account()
        set_status(closed, status=Status.CLOSED, client=BANK_CLIENT, reason="test")
        vault = bank_accounts().number(Place.VAULT)
        yen, stranger = account(currency="JPY"), account(balance=9_000)
        cases = [
            (body_of(payer, payee, amount="100.01"), Code.INSUFFICIENT_FUNDS, "amount"),
            (body_of(limited, payee), Code.DAILY_LIMIT_EXCEEDED, "amount"),
            (body_of(payer, payer), Code.SAME_ACCOUNT, "credit_account"),
            (body_of(frozen, payee, amount="1"), Code.DEBIT_ACCOUNT_FROZEN, "debit_account"),
            (body_of(payer, frozen), Code.CREDIT_ACCOUNT_FROZEN, "credit_account"),
            (body_of(payer, closed), Code.CREDIT_ACCOUNT_CLOSED, "credit_account"),
            (body_of(payer, yen), Code.CURRENCIES_DIFFER, "currency"),
            (body_of(payer, payee, currency="CZK"), Code.WRONG_CURRENCY, "currency"),
            (body_of(payer, vault), Code.UNKNOWN_CREDIT_ACCOUNT, "credit_account"),
            (body_of(stranger, payee), Code.UNKNOWN_DEBIT_ACCOUNT, "debit_account"),
        ]
        for body, code, field in cases:
            with nothing_written(), transaction.atomic():
                problem = refusal(send(api, body), 422)
            assert (problem["code"], problem["errors"][0]["pointer"]) == (
                code.name.lower(),
                f"/{field}",
            )

    def test_a_key_stands_for_one_body(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        send(api, body_of(payer, payee), key="rent-march")
        problem = refusal(send(api, body_of(payer, payee, amount="26"), key="rent-march"), 422)
        assert problem["code"] == "key_reused"

    @pytest.mark.parametrize(
        ("key", "code"),
        [
            (None, "idempotency_key_missing"),
            ("", "invalid_idempotency_key"),
            ("two words", "invalid_idempotency_key"),
            ("x" * 256, "invalid_idempotency_key"),
            ("é", "invalid_idempotency_key"),
        ],
    )
    def test_needs_a_key(self, api: Client, key: str | None, code: str) -> None:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = api.post("/api/v1/transfers", {}, "application/json", headers=headers)
        assert refusal(answer, 400)["code"] == code


class TestBody:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ('{"amount": "1", "amount": "2"}', 400, "duplicate_key"),
            ('{"memo": {"a": 1, "a": 2}}', 400, "duplicate_key"),
            ("[" * 60_000, 400, "json_too_deep"),
            ('{"amount": NaN}', 400, "invalid_json"),
            ('{"amount": ' + "9" * 5_000 + "}", 400, "invalid_json"),
            ('{"amount": "1"', 400, "invalid_json"),
            (b'{"memo": "\xff"}', 400, "invalid_json"),
            ("[]", 422, "not_an_object"),
            ('"transfer"', 422, "not_an_object"),
            ('{"memo": "' + "x" * 70_000 + '"}', 413, "request_too_large"),
        ],
    )
    def test_means_one_thing_or_is_refused(
        self, api: Client, body: str | bytes, status: int, code: str
    ) -> None:
        assert refusal(send(api, body), status)["code"] == code


class TestAccounts:
    def test_shows_ones_own(self, api: Client, asha: User) -> None:
        mine = account(balance=123_45, owner=asha)
        yen = account(balance=500, currency="JPY", owner=asha)
        account(balance=1)
        shown = api.get("/api/v1/accounts").json()["accounts"]
        assert [(one["number"], one["balance"]) for one in shown] == [
            (str(mine), "123.45"),
            (str(yen), "500"),
        ]
        assert api.get(f"/api/v1/accounts/{mine}").json() == shown[0]

    def test_hides_those_of_others(self, api: Client) -> None:
        theirs = account(balance=10_000, owner=person())
        payee = account()
        for address in (f"{theirs}", f"{theirs}/statement", "100000000000", "x", "100000000017"):
            assert refusal(api.get(f"/api/v1/accounts/{address}"), 404)
        other = Client()
        owner = User.objects.exclude(pk=api.session["_auth_user_id"]).get()
        other.force_login(owner)
        sent = send(other, body_of(theirs, payee)).json()["id"]
        assert refusal(api.get(f"/api/v1/transfers/{sent}"), 404)["code"] == "unknown_transfer"
        assert refusal(api.get(f"/api/v1/transfers/{uuid4()}"), 404)["code"] == "unknown_transfer"


class TestStatement:
    def test_pages_to_the_end_and_repeats_nothing(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account(owner=person(full_name="Bo Li"))
        for number in range(5):
            send(api, body_of(payer, payee, amount=f"{number + 1}.00", memo=f"no {number}"))
        seen: list[Any] = []
        address: str | None = f"/api/v1/accounts/{payer}/statement?limit=2"
        while address:
            page = api.get(address).json()
            seen += page["entries"]
            more = page.get("next_cursor")
            assert page["has_more"] is (more is not None)
            address = more and f"/api/v1/accounts/{payer}/statement?limit=2&cursor={more}"
        assert [one.get("memo") for one in seen] == ["no 4", "no 3", "no 2", "no 1", "no 0", None]
        assert seen[0]["balance_after"] == "85.00"
        assert (seen[0]["side"], seen[0]["amount"], seen[0]["counterparty_name"]) == (
            "debit",
            "5.00",
            "Bo Li",
        )
        assert (seen[-1]["side"], seen[-1]["balance_after"]) == ("credit", "100.00")

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1e1", "٣", ""])
    def test_has_a_bounded_page(self, api: Client, asha: User, limit: str) -> None:
        mine = account(owner=asha)
        answer = api.get(f"/api/v1/accounts/{mine}/statement", {"limit": limit})
        assert refusal(answer, 400)["code"] == "invalid_limit"

    def test_takes_no_cursor_but_its_own(self, api: Client, asha: User) -> None:
        mine = account(balance=1_000, owner=asha)
        other = account(balance=1_000, owner=asha)
        for _ in range(2):
            send(api, body_of(other, mine, amount="1"))
        cursor = api.get(f"/api/v1/accounts/{other}/statement?limit=1").json()["next_cursor"]
        for wrong in (cursor, cursor[:-2] + "xx", "x", ""):
            answer = api.get(f"/api/v1/accounts/{mine}/statement", {"cursor": wrong})
            assert refusal(answer, 400)["code"] == "invalid_cursor"


class TestCaller:
    def test_must_be_known(self) -> None:
        answer = Client().get("/api/v1/accounts")
        assert refusal(answer, 401)["code"] == "not_authenticated"
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'

    @pytest.mark.parametrize("token", ["x", "a.b.c", ""])
    def test_must_have_a_token_of_ours(self, token: str) -> None:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        assert refusal(client.get("/api/v1/accounts"), 401)

    def test_gets_a_token_at_the_door(self, asha: User) -> None:
        EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)
        mine = account(balance=700, owner=asha)
        door = Client().post(
            "/auth/app/v1/auth/login",
            {"email": asha.email, "password": PASSWORD},
            "application/json",
        )
        token = door.json()["meta"]["access_token"]
        client = Client(headers={"Authorization": f"Bearer {token}"})
        assert client.get(f"/api/v1/accounts/{mine}").json()["balance"] == "7.00"

    def test_needs_csrf_with_a_session(self, asha: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(asha)
        assert refusal(send(client, {}), 403)["code"] == "forbidden"


class TestProblem:
    @pytest.mark.parametrize(
        ("ask", "status"),
        [
            (lambda api: api.get("/api/v1/nothing"), 404),
            (lambda api: api.get("/api/v1/transfers/x"), 404),
            (lambda api: api.put("/api/v1/transfers"), 405),
            (lambda api: api.delete("/api/v1/accounts"), 405),
            (lambda api: api.get("/api/v1/accounts", headers={"Accept": "text/html"}), 406),
            (
                lambda api: api.post(
                    "/api/v1/transfers", {"a": "b"}, headers={"Idempotency-Key": "k"}
                ),
                415,
            ),
            (lambda api: api.get("/api/v1/accounts", headers={"Host": "evil.example"}), 400),
        ],
        ids=["404", "404 id", "405", "405 delete", "406", "415", "400 host"],
    )
    def test_is_what_every_refusal_is(
        self, api: Client, ask: Callable[[Client], Any], status: int
    ) -> None:
        refusal(ask(api), status)

    def test_a_failure_of_ours_tells_no_secret(
        self, api: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_user: int) -> None:
            message = "password=hunter2"
            raise RuntimeError(message)

        monkeypatch.setattr("transactions.api.accounts.accounts_of", fail)
        answer = api.get("/api/v1/accounts")
        assert refusal(answer, 500)["code"] == "internal_error"
        assert b"hunter2" not in answer.content

    def test_says_when_to_come_back(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def throttle(_user: int) -> None:
            raise Throttled(wait=12.3)

        monkeypatch.setattr("transactions.api.accounts.accounts_of", throttle)
        answer = api.get("/api/v1/accounts")
        assert refusal(answer, 429)["code"] == "too_many_requests"
        assert answer.headers["Retry-After"] == "13"

    def test_keeps_a_callers_request_id_that_is_one(self, api: Client) -> None:
        mine = str(uuid4())
        kept = api.get("/api/v1/nothing", headers={"X-Request-ID": mine})
        assert kept.headers["X-Request-ID"] == mine
        made = api.get("/api/v1/nothing", headers={"X-Request-ID": "x\ny"})
        assert UUID(made.headers["X-Request-ID"])
