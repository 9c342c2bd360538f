"""Who tries every address: a client each, logged in for real."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.test import Client

from accounts.models import Session, SessionKind, User, UserStatus
from accounts.tokens import tokens_of
from core import clock
from core.api.access import SCOPES, scopes_of
from tests.factories import key_of, person

ANONYMOUS: Final = "anonymous"
PEOPLE: Final = (
    "customer A",
    "customer B",
    "authorised",
    "suspended",
    "employee",
    "admin",
    "superadmin",
)
WHO: Final = (ANONYMOUS, *PEOPLE, *SCOPES)
"""The columns of the table. A key has one scope; those of admins belong to the super admin."""
PROGRAMS_DOOR: Final = "/auth/app/"
"""Below it are allauth's addresses for programs: they look at no cookie, and take any method."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who tries: by session on pages and at the door, by a token or key over the API."""

    session: str = ""
    key: str = ""
    logged_in: Session | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Return what names them over the API: a key, or a token that was just made."""
        token = self.key
        if self.logged_in is not None:
            token = tokens_of(self.logged_in, now=clock.now()).access
        return {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Any:
        """Send a request and return the answer."""
        client = _browser()
        # As it was before: an answer may have it forget the session.
        client.cookies.clear()
        named: Mapping[str, str] = {}
        if address.startswith("/api/"):
            named = self.headers
        elif self.session and address.startswith(PROGRAMS_DOOR):
            named = {"X-Session-Token": self.session}
        elif self.session:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.session
        return client.generic(
            method, address, body, content_type="application/json", headers={**headers, **named}
        )


@cache
def _browser() -> Client:
    """Return one for all: making one reads all settings anew."""
    return Client(raise_request_exception=False)


def cast() -> tuple[dict[str, User], dict[str, Caller]]:
    """Let everybody join the bank and log in; return the people, and all who try."""
    people = {
        "customer A": person(),
        "customer B": person(),
        "authorised": person(),
        "suspended": person(),
        "employee": person(role="employee"),
        "admin": person(role="admin", is_staff=True),
        "superadmin": person(role="admin", is_staff=True, is_superuser=True),
    }
    callers = {name: logged_in(somebody) for name, somebody in people.items()}
    for scope in SCOPES:
        is_theirs = scope in scopes_of("customer")
        owner = people["customer A" if is_theirs else "superadmin"]
        callers[scope] = Caller(key=key_of(owner, scope))
    callers[ANONYMOUS] = Caller()
    User.objects.filter(pk=people["suspended"].pk).update(
        status=UserStatus.SUSPENDED, is_active=False
    )
    return people, callers


def logged_in(somebody: User) -> Caller:
    """Return somebody who is logged in, by browser and by program."""
    client = Client()
    client.force_login(somebody)
    session = Session.objects.create(
        person=somebody,
        kind=SessionKind.PROGRAM,
        session_key=uuid4().hex,
        device="test",
        expires_at=clock.now() + timedelta(hours=1),
    )
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Caller(session=cookie, logged_in=session)
