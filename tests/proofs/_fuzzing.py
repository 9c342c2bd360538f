"""Requests that schemathesis makes from the OpenAPI, sent by one caller to a served bank."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tests.factories import person
from tests.permissions._belongings import belongings_of
from tests.permissions._cast import cast, logged_in

DOCUMENT: Final = "/api/v1/openapi.json"
# A request can be well formed and yet be refused: for want of money, say. What must never come is
# a status that the OpenAPI does not name, and that another check looks for.
_REFUSALS: Final = ["2xx", "400", "401", "403", "404", "409", "422", "429", "503"]


_LEAVING: Final = r"/auth/logout$|/me/sessions/"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Somebody who sends requests, by the headers that say who it is.

    ``leaving`` are those of somebody else: what ends sessions is sent as them.
    """

    name: str
    headers: Mapping[str, str]
    leaving: Mapping[str, str]


@dataclass(kw_only=True)
class Outcome:
    """What came of one caller's requests: how many of which status, and what was wrong."""

    cases: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


def everybody() -> list[Sender]:
    """Let everybody join the bank, customer A with one of everything, and return them."""
    people, callers = cast()
    belongings_of(people)
    leaving = logged_in(person()).headers
    senders = [
        Sender(name=name, headers=caller.headers, leaving=leaving)
        for name, caller in callers.items()
    ]
    # Who may most comes first: a run may be over before everybody has sent many.
    return sorted(senders, key=lambda one: one.name not in {"superadmin", "customer A", "employee"})


def fuzz(
    address: str,
    who: Sender,
    *,
    seed: int,
    examples: int,
    is_short: bool,
    is_for_them: Callable[[str], bool] = lambda _label: True,
) -> Outcome:
    """Send up to ``examples`` random requests to each operation that is for them.

    Before them go each operation's example and, unless it ``is_short``, each edge of its schema.
    An operation's label is ``POST /api/v1/transfers``, say.
    """
    config = _config(who, seed=seed, examples=examples, is_short=is_short)
    everything = schemathesis.openapi.from_url(address + DOCUMENT, config=config)
    schema = everything.exclude(lambda context: not is_for_them(context.operation.label))
    outcome = Outcome()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(event, outcome)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            outcome.failures[f"the proof itself: {event}"] = str(getattr(event, "info", event))
    return outcome


def _note(event: events.ScenarioFinished, outcome: Outcome) -> None:
    if event.recorder.cases:
        outcome.operations.add(str(event.label))
    outcome.cases += len(event.recorder.interactions)
    for interaction in event.recorder.interactions.values():
        if interaction.response is not None:
            outcome.statuses[interaction.response.status_code] += 1
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                request = event.recorder.cases[case].value.as_curl_command()
                where = f"{event.label}: {failure.title}"
                outcome.failures.setdefault(where, f"{failure.message}\n{request}")


def _config(who: Sender, *, seed: int, examples: int, is_short: bool) -> SchemathesisConfig:
    settings: dict[str, Any] = {
        "seed": seed,
        "headers": dict(who.headers),
        "operations": [{"include-path-regex": _LEAVING, "headers": dict(who.leaving)}],
        "continue-on-failure": True,
        "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
        "phases": {"coverage": {"enabled": not is_short}, "stateful": {"enabled": not is_short}},
        "checks": {"positive_data_acceptance": {"expected-statuses": _REFUSALS}},
    }
    return SchemathesisConfig.from_dict(settings)
