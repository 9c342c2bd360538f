"""Requests that schemathesis makes from the OpenAPI, sent by one caller to the bank in-process."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

DOCUMENT: Final = "/api/v1/openapi.json"
# A request can be well formed and yet be refused: for want of money, say. What must never come is
# a status that the OpenAPI does not name, and that another check looks for.
_REFUSALS: Final = [400, 401, 403, 404, 409, 422]


@dataclass(kw_only=True)
class Outcome:
    """What came of one caller's requests: how many of which status, and what was wrong."""

    cases: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def server_errors(self) -> int:
        """How many answers were the bank's own failure; 503 says so when a node is down."""
        return sum(count for status, count in self.statuses.items() if status >= 500)


def fuzz(headers: Mapping[str, str], *, seed: int, examples: int, is_short: bool) -> Outcome:
    """Send up to ``examples`` random requests to each operation, with these headers.

    Before them go each operation's example and, unless it ``is_short``, each edge of its schema.
    """
    from bankproject.wsgi import application

    config = _config(headers, seed=seed, examples=examples, is_short=is_short)
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application, config=config)
    outcome = Outcome()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(event, outcome)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            outcome.failures[str(event)] = "the proof itself failed"
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
                where = f"{event.label}: {failure.title}"
                request = event.recorder.cases[case].value.as_curl_command()
                outcome.failures.setdefault(where, f"{failure.message}\n{request}")


def _config(
    headers: Mapping[str, str], *, seed: int, examples: int, is_short: bool
) -> SchemathesisConfig:
    settings: dict[str, Any] = {
        "seed": seed,
        "headers": dict(headers),
        "continue-on-failure": True,
        "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
        "phases": {"coverage": {"enabled": not is_short}, "stateful": {"enabled": not is_short}},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", *_REFUSALS]}},
    }
    return SchemathesisConfig.from_dict(settings)
