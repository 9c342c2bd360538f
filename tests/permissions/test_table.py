"""The table of who may do what, held against every address there is, by really trying.

``table.csv`` has a line for each address, by its name, and each method that is answered. Its words:

``yes``    let in: whatever came of the request, it was not refused for who asks
``login``  sent to the log-in page
``-``      not tried, since it would be as for others: see the last test
``401``, ``403``, ``404``, ``405``  refused so; 404 where it is somebody else's
"""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import reverse
from pytest_django import Settings

from core.api.access import SCOPES
from tests.openapi import Operation, operations
from tests.permissions._belongings import Belongings, belongings_of
from tests.permissions._cast import PROGRAMS_DOOR, WHO, cast
from tests.permissions._routes import METHODS, Route, every_route

TABLE: Final = Path(__file__).with_name("table.csv")
# What a request may meet beside its being let in: the second proof comes after the first.
_LATER: Final = frozenset({"step_up_required", "wrong_step_up_code"})
# At the door anybody is asked what they know, and who leaves is asked to log in: 401 is about that.
_DOOR: Final = frozenset(
    {
        ("api-auth-login", "POST"),
        ("api-auth-mfa", "POST"),
        ("api-auth-refresh", "POST"),
        ("headless:app:account:current_session", "DELETE"),
    }
)
# Somebody else's account in a body is as unknown as one in an address.
_NOT_THEIRS: Final = frozenset(
    {"unknown_account", "unknown_debit_account", "unknown_credit_account"}
)

UNTRIED: Final = "-"
LOG_IN: Final = (reverse("account_login"), reverse("admin:login"))
# A method that the table does not name is answered to nobody, not even to who may most.
NOTHING_THERE: Final = {**dict.fromkeys(WHO, UNTRIED), "superadmin": "405"}

Line = tuple[str, str]


def table() -> dict[Line, dict[str, str]]:
    """Return the reviewed table, by route and method."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(line["route"], line["method"]): line for line in csv.DictReader(file)}


def methods_of(route: Route) -> Sequence[str]:
    """Return the methods to try: forms of Django and allauth take others for these two."""
    return METHODS if route.address.startswith(("/api/", PROGRAMS_DOOR)) else ("GET", "POST")


def seen(answer: Any) -> str:
    """Return the word of the table for an answer."""
    status = answer.status_code
    code = ""
    if answer.headers.get("Content-Type") == "application/problem+json":
        code = json.loads(answer.content)["code"]
    if status in {301, 302} and answer.headers["Location"].startswith(LOG_IN):
        return "login"
    if code in _NOT_THEIRS:
        return "404"
    if _is_not_about_who_asks(answer):
        return "yes"
    if status < 500 and (status not in {401, 403, 404, 405} or code in _LATER):
        return "yes"
    return str(status)


def _is_not_about_who_asks(answer: Any) -> bool:
    """Tell whether allauth refuses for another reason than who asks.

    401 may mean that it knows them and wants to see once more that it is them; 404, that they have
    no such second factor: no address of its own names anybody's.
    """
    if answer.headers.get("Content-Type") != "application/json":
        return False
    told = json.loads(answer.content)
    return answer.status_code == 404 or bool(told.get("meta", {}).get("is_authenticated"))


def _is_missing(route: Route, method: str, answer: Any) -> bool:
    """Tell whether allauth refused what it has no method for: it looks at the body first."""
    is_refused = 400 <= answer.status_code < 500
    return (
        is_refused
        and route.name.startswith("headless:")
        and not hasattr(route.view.view_class, method.lower())
    )


@contextmanager
def undone() -> Iterator[None]:
    """Let nothing stay of what is done within."""
    rolled_back = transaction.atomic()
    # As in Django's own tests: what must be the outermost transaction takes this one for none.
    rolled_back._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001  # not in the stubs
    with rolled_back:
        yield
        transaction.set_rollback(True)


class Trial:
    """Everybody, what is A's, and the requests they send, of which nothing stays."""

    def __init__(self) -> None:
        self.people, self.callers = cast()
        self.belongings: Belongings = belongings_of(self.people)
        self.operations = {(one.method.upper(), one.address): one for one in operations()}

    def request(self, who: str, method: str, route: Route) -> str:
        """Send one request and return the word for what came of it."""
        operation = self._operation(method, route)
        body = self.belongings.body_of(operation) if operation else {}
        with undone():
            answer = self.callers[who].send(
                method,
                route.filled(self.belongings.ids_of(route)),
                json.dumps(body).encode() if body else b"",
                {"Idempotency-Key": str(uuid4())},
            )
        word = "405" if _is_missing(route, method, answer) else seen(answer)
        if word == "401" and (route.name, method) in _DOOR:
            word = "yes"
        # At the door each try is counted, whatever comes of it.
        is_counted = route.address.startswith(PROGRAMS_DOOR)
        if is_counted or (method != "GET" and word not in {"401", "403", "404", "405"}):
            self.belongings.forget_changes()
        return word

    def _operation(self, method: str, route: Route) -> Operation | None:
        address = route.address
        for name in route.parameters:
            for kind in ("str", "int", "uuid", "slug"):
                address = address.replace(f"<{kind}:{name}>", f"{{{name}}}")
        return self.operations.get((method, address))


@pytest.fixture
def trial(settings: Settings, db: None) -> Trial:  # noqa: ARG001  # pytest-django's way
    """Give everybody, with a cache of their own: what is rolled back must not stay in it."""
    place = settings.CACHES["default"]
    own = {**place, "LOCATION": place["LOCATION"].rpartition("/")[0] + "/9"}
    settings.BANK_SELF_SERVICE_CASH = True
    settings.CACHES = {**settings.CACHES, "default": own}
    return Trial()


def test_every_address_is_as_the_table_says(trial: Trial) -> None:
    lines = table()
    faults: list[str] = []
    used: set[Line] = set()
    named = {name for name, _method in lines}
    for route in every_route():
        if route.name not in named:
            faults.append(f"not in the table: {route.name} {route.address}")
            continue
        for method in methods_of(route):
            line = lines.get((route.name, method), NOTHING_THERE)
            used.add((route.name, method))
            for who in WHO:
                if (
                    line[who] != UNTRIED
                    and (found := trial.request(who, method, route)) != line[who]
                ):
                    where = f"{method} {route.address} ({route.name})"
                    faults.append(f"{where}, {who}: {found}, not {line[who]}")
    faults += [f"nothing is at {' '.join(stale)}" for stale in sorted({*lines} - used)]
    assert not faults, "\n".join(faults)


def test_only_what_goes_without_saying_is_not_tried() -> None:
    routes = {route.name: route for route in every_route()}
    for (name, method), line in table().items():
        untried = {who for who in WHO if line[who] == UNTRIED}
        address = routes[name].address
        # A key is a credential of the API alone, and the door asks nobody what they are.
        allowed = set() if address.startswith("/api/") else {*SCOPES}
        if address.startswith("/auth/") and not address.startswith(PROGRAMS_DOOR):
            allowed |= {*WHO} - {"anonymous", "customer A"}
        if address.startswith("/admin/"):
            allowed |= {"customer B", "authorised", "suspended"}
            allowed |= {"employee", "superadmin"} if method == "POST" else set()
        assert untried <= allowed, (name, method)
