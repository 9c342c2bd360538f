"""Bad input, for every field of every operation there is: a clear problem, and nothing written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest
from django.test import Client

from bankproject.runtime.postgres import BankUrls
from core.api.access import ANYONE, CUSTOMER, EMPLOYEE, SUPERADMIN
from tests.expectations import nothing_written
from tests.factories import account, person
from tests.openapi import Operation, operations, resolved

pytestmark = pytest.mark.usefixtures("shared_bank")

EVERY: Final = list(operations())
WITH_BODY: Final = [one for one in EVERY if one.body is not None]
WITH_FILTERS: Final = [one for one in EVERY if one.parameters("query")]
WITH_TEXT_IN_PATH: Final = [
    one for one in EVERY if any("format" not in part["schema"] for part in one.parameters("path"))
]

WRONG_TYPES: Final[dict[str, list[Any]]] = {
    "string": [7, None, {}],
    "integer": ["7", 7.5, True],
    "boolean": ["true", 1, None],
    "array": ["x", None, {}],
    "object": ["x", None, []],
}
BAD_TEXTS: Final = ["a\0b", "a\u202eb", "\ud83d", "x" * 5000]
# These other code reads, and what has a pattern: maybe after it found that something is unknown.
READ_LATER: Final = {"/branch", "/password"}
HUGE: Final = b'{"a": "' + b"x" * 2_000_000 + b'"}'
# Ten thousand transfers may well be longer, and files of them; other tests are about their limits.
LONG_BODIES: Final = {"/api/v1/transfer-batches", "/api/v1/payment-files"}
DEEP: Final = b"[" * 30_000 + b"]" * 30_000
NO_JSON: Final = {
    "nothing": b"",
    "half": b'{"a": ',
    "no utf-8": b'{"a": "\xff"}',
    "nan": b'{"a": NaN}',
    "twice": b'{"a": 1, "a": 2}',
    "deep": DEEP,
    "many digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "no object": b"[7]",
}


@dataclass(frozen=True, kw_only=True)
class Bank:
    """A client for each role, and what addresses name: an account and its owner's user ID."""

    clients: Mapping[str, Client]
    ids: Mapping[str, str]

    def client_for(self, operation: Operation) -> Client:
        """Return a client whose role may use the operation."""
        ranked = (ANYONE, CUSTOMER, EMPLOYEE, SUPERADMIN)
        return self.clients[next(role for role in ranked if role in operation.roles)]

    def send(
        self,
        operation: Operation,
        body: bytes = b"",
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request to an operation."""
        address = operation.address
        for part in operation.parameters("path"):
            known = {**self.ids, **(path or {})}
            value = known.get(part["name"]) or _unknown(part["schema"])
            address = address.replace(f"{{{part['name']}}}", value)
        return self.client_for(operation).generic(
            operation.method.upper(),
            address,
            body,
            content_type,
            query_params=query,
            headers={"Idempotency-Key": str(uuid4())} if headers is None else headers,
        )


def _unknown(schema: Mapping[str, Any]) -> str:
    return "7" if schema["type"] == "integer" else str(uuid4())


@pytest.fixture(scope="module")
def bank(shared_bank: BankUrls) -> Bank:  # noqa: ARG001  # where they are
    """Give everybody, and an account."""
    asha = person()
    asha.refresh_from_db()
    clients = {ANYONE: Client(raise_request_exception=False)}
    for role, somebody in {
        CUSTOMER: asha,
        EMPLOYEE: person(role="employee"),
        SUPERADMIN: person(role="admin", is_staff=True, is_superuser=True),
    }.items():
        clients[role] = Client(raise_request_exception=False)
        clients[role].force_login(somebody)
    ids = {"number": str(account(owner=asha, balance=10_000)), "user_id": str(asha.number)}
    return Bank(clients=clients, ids=ids)


def refused(answer: Any) -> dict[str, Any]:
    """Check that an answer is a problem document of the caller's making, and return it."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.content[:300])
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert {"type", "title", "detail", "code"} <= problem.keys()
    return problem


def filled(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a body's example with a value for each field that it leaves out."""
    schema = resolved(schema)
    if schema["type"] == "array":
        return [filled(schema["items"], one) for one in value]
    if schema["type"] != "object":
        return value
    inner = schema.get("properties", {})
    absent = {name: _some(inner[name]) for name in inner.keys() - value.keys()}
    present = {name: filled(inner[name], value[name]) for name in value}
    return {**present, **absent}


def _some(schema: Mapping[str, Any]) -> Any:
    """Return a value of the type that a field has."""
    schema = resolved(schema)
    named = schema["type"]
    usual = {"string": "1", "integer": 1, "boolean": True, "array": []}
    kind = next(one for one in ([named] if isinstance(named, str) else named) if one != "null")
    return [_some(schema["items"])] if kind == "array" else schema.get("enum", [usual[kind]])[0]


def fields(
    schema: Mapping[str, Any], value: Any, pointer: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through the fields of a body, with their JSON pointers; of a list, those of its first."""
    schema = resolved(schema)
    if schema.get("type") == "array" and isinstance(value, list) and value:
        yield from fields(schema["items"], value[0], f"{pointer}/0")
    for name, inner in schema.get("properties", {}).items():
        yield f"{pointer}/{name}", resolved(inner)
        yield from fields(inner, value[name], f"{pointer}/{name}")


def wrong_types(schema: Mapping[str, Any]) -> list[Any]:
    """Return values of other types than a field has."""
    named = schema["type"]
    types = {named} if isinstance(named, str) else set(named)
    usual = WRONG_TYPES[next(iter(types - {"null"}))]
    return [value for value in usual if value is not None or "null" not in types]


def changed(body: Any, pointer: str, value: Any) -> bytes:
    """Return a body with another value at a pointer."""
    copy = json.loads(json.dumps(body))
    *way, last = pointer.removeprefix("/").split("/")
    inner = copy
    for step in way:
        inner = inner[int(step) if isinstance(inner, list) else step]
    inner[int(last) if isinstance(inner, list) else last] = value
    return json.dumps(copy).encode()


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda one: one.name)
class TestBody:
    def test_wrong_types_are_refused_and_pointed_at(self, operation: Operation, bank: Bank) -> None:
        assert operation.body is not None
        example = filled(operation.body, operation.body_example)
        with nothing_written():
            for pointer, schema in fields(operation.body, example):
                for value in wrong_types(schema):
                    answer = bank.send(operation, changed(example, pointer, value))
                    problem = refused(answer)
                    pointers = [one["pointer"] for one in problem.get("errors", [])]
                    assert pointer in pointers, (pointer, value, problem)

    def test_texts_that_hide_something_are_refused(self, operation: Operation, bank: Bank) -> None:
        assert operation.body is not None
        example = filled(operation.body, operation.body_example)
        with nothing_written():
            for pointer, schema in fields(operation.body, example):
                if "string" in schema["type"]:
                    for text in BAD_TEXTS:
                        problem = refused(bank.send(operation, changed(example, pointer, text)))
                        pointers = [one["pointer"] for one in problem.get("errors", [])]
                        is_read_later = "pattern" in schema or pointer in READ_LATER
                        assert is_read_later or pointer in pointers, (pointer, text, problem)

    def test_missing_and_unknown_fields_are_named(self, operation: Operation, bank: Bank) -> None:
        assert operation.body is not None
        example = operation.body_example
        with nothing_written():
            for name in operation.body.get("required", []):
                short = {key: value for key, value in example.items() if key != name}
                problem = refused(bank.send(operation, json.dumps(short).encode()))
                missing = [one["pointer"] for one in problem["errors"] if one["code"] == "required"]
                assert missing == [f"/{name}"]
            for name in ("is_staff", "a\u202e\0"):
                long = {**example, name: "1"}
                problem = refused(bank.send(operation, json.dumps(long).encode()))
                assert "unknown_field" in {one["code"] for one in problem["errors"]}

    def test_what_is_no_json_object_is_refused(self, operation: Operation, bank: Bank) -> None:
        with nothing_written():
            for what, body in NO_JSON.items():
                problem = refused(bank.send(operation, body))
                # Some bodies may be left out; then the rest of the request is looked at.
                assert problem["status"] in {400, 422} or what == "nothing", (what, problem)

    def test_a_huge_body_is_refused(self, operation: Operation, bank: Bank) -> None:
        with nothing_written():
            problem = refused(bank.send(operation, HUGE))
            assert problem["status"] == 413 or operation.address in LONG_BODIES

    def test_other_content_types_are_refused(self, operation: Operation, bank: Bank) -> None:
        body = json.dumps(operation.body_example).encode()
        with nothing_written():
            for content_type in ("application/x-www-form-urlencoded", "nonsense"):
                answer = bank.send(operation, body, content_type=content_type)
                assert refused(answer)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("operation", WITH_FILTERS, ids=lambda one: one.name)
def test_filters_never_break_a_listing(operation: Operation, bank: Bank) -> None:
    for name in (one["name"] for one in operation.parameters("query")):
        for text in ("", "9" * 30, "\N{REPLACEMENT CHARACTER}"):
            answer = bank.send(operation, query={name: text})
            assert answer.status_code < 500, (name, text, answer.content[:300])
        for text in ("a\0b", "a\u202eb", "x" * 1_000):
            refused(bank.send(operation, query={name: text}))


@pytest.mark.parametrize("operation", WITH_FILTERS, ids=lambda one: one.name)
@pytest.mark.parametrize("query", [{"no_such_filter": "1"}, {"cursor": "x:y"}, {"limit": "0"}])
def test_unknown_filters_and_cursors_of_nobody_are_refused(
    operation: Operation, query: Mapping[str, str], bank: Bank
) -> None:
    refused(bank.send(operation, query=query))


@pytest.mark.parametrize("operation", WITH_TEXT_IN_PATH, ids=lambda one: one.name)
def test_nonsense_in_an_address_is_nobody_s(operation: Operation, bank: Bank) -> None:
    example = json.dumps(operation.body_example).encode()
    for part in operation.parameters("path"):
        for text in (
            "%00",
            "a%00b",
            "%E2%80%AE",
            "%ED%A0%BD",
            "x" * 1_000,
            "..",
            "1%27%20OR%201=1",
        ):
            refused(bank.send(operation, example, path={part["name"]: text}))


@pytest.mark.parametrize(
    "operation", [one for one in WITH_BODY if one.is_keyed], ids=lambda one: one.name
)
def test_unusable_keys_are_refused(operation: Operation, bank: Bank) -> None:
    body = json.dumps(operation.body_example).encode()
    with nothing_written():
        for key in ("", "x" * 256, "a b", "schlüssel"):
            problem = refused(bank.send(operation, body, headers={"Idempotency-Key": key}))
            assert problem["code"] == "invalid_idempotency_key"
        problem = refused(bank.send(operation, body, headers={}))
        assert problem["code"] == "idempotency_key_missing"
