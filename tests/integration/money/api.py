"""Asking the API as a logged-in customer, and what it answers."""

import json
from typing import Any
from uuid import uuid4

from django.test import Client

from accounts.models import User


def client_of(person: User) -> Client:
    """Return a client with a person's session."""
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def post(
    client: Client, address: str, body: object, *, key: str | None = None, **headers: str
) -> Any:
    """Post a body under an idempotency key of its own, or this one."""
    return client.post(
        f"/api/v1/{address}",
        body if isinstance(body, str | bytes) else json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid4()), **headers},
    )


def shown(client: Client, address: str, **parameters: str | int) -> Any:
    """Return the JSON at an address."""
    answer = client.get(f"/api/v1/{address}", parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refusal(answer: Any, status: int) -> tuple[str, list[str]]:
    """Check that an answer is a problem of this status, and return its code and pointers."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    problem = json.loads(answer.content)
    assert answer.status_code == status, problem
    return problem["code"], [fault["pointer"] for fault in problem.get("errors", [])]
