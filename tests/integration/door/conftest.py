"""A customer at the door, and mails that can be read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.callers import forget_standing
from accounts.models import User, UserStatus
from tests.factories import person

PASSWORD = "correct horse battery staple"

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _mails(settings: Settings) -> None:
    """Keep mails where the test finds them."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    # The next code may be due before a test has sent the one that it has made.
    settings.MFA_TOTP_TOLERANCE = 1


@pytest.fixture
def asha() -> User:
    """Give a customer whose e-mail address is verified."""
    return verified(person())


@pytest.fixture
def secret(asha: User) -> str:
    """Give the customer an authenticator app, and return its secret."""
    made: str = generate_totp_secret()
    TOTP.activate(asha, made)
    return made


def verified(user: User) -> User:
    """Let a person's e-mail address count as theirs."""
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def set_active(user: User, *, is_active: bool) -> None:
    """Suspend a person, or let them in again, and say so."""
    status = UserStatus.ACTIVE if is_active else UserStatus.SUSPENDED
    User.objects.filter(pk=user.pk).update(status=status, is_active=is_active)
    forget_standing(user.pk)


def ask(
    path: str, body: object = None, *, token: str = "", method: str = "", **headers: str
) -> Any:
    """Send a request to the API, with a token if there is one."""
    client = Client(raise_request_exception=False)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return client.generic(
        method or ("GET" if body is None else "POST"),
        f"/api/v1/{path}",
        b"" if body is None else json.dumps(body).encode(),
        content_type="application/json",
        headers=headers,
    )


def log_in(user: User, password: str = PASSWORD) -> Any:
    """Log in by program."""
    return ask("auth/login", {"email": user.email, "password": password})


def tokens(user: User) -> Any:
    """Log in by program and return what the door gave."""
    answer = log_in(user)
    assert answer.status_code == 200, answer.content
    return answer.json()


def code_of(answer: Any, status: int = 401) -> str:
    """Check that an answer is a problem of this status, and return its code."""
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status), problem
    return str(problem["code"])
