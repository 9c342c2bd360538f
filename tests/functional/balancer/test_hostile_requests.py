"""What arrives at backends, and what clients are told, of requests that servers disagree about."""

from dataclasses import dataclass

import pytest

from tests.balancing import Laboratory, Seen, laboratory, on_loop, statuses
from tests.hostile import ADMITTED, REFUSED


@dataclass(frozen=True)
class Outcome:
    """What came of one connection."""

    answers: bytes
    seen: list[Seen]
    faults: list[bytes]
    admitted: int
    sent: int
    refused: int


async def _outcome(lab: Laboratory, *pieces: bytes) -> Outcome:
    backend, counters = lab.backends[0], lab.balancer.counters
    backend.seen, backend.faults = [], []
    before = counters.admitted, counters.sent, sum(counters.refused.values())
    answers = await lab.say(*pieces)
    await lab.until(lambda: not lab.balancer.clients)
    lab.prove_nothing_is_left()
    return Outcome(
        answers,
        backend.seen,
        backend.faults,
        admitted=counters.admitted - before[0],
        sent=counters.sent - before[1],
        refused=sum(counters.refused.values()) - before[2],
    )


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    async def say_all() -> dict[str, Outcome]:
        async with laboratory() as lab:
            said = {**REFUSED, **{name: raw for name, (raw, _) in ADMITTED.items()}}
            return {name: await _outcome(lab, raw) for name, raw in said.items()}

    return on_loop(say_all())


def test_what_is_refused_is_answered_once_and_reaches_no_backend(
    outcomes: dict[str, Outcome],
) -> None:
    wrong = {name: outcomes[name] for name in REFUSED if not _is_refused(outcomes[name])}
    assert not wrong, wrong


def _is_refused(found: Outcome) -> bool:
    told = statuses(found.answers)
    once = len(told) == 1 and 400 <= told[0] <= 505
    closes = b"\r\nConnection: close\r\n" in found.answers
    return once and closes and (found.seen, found.faults, found.refused) == ([], [], 1)


def test_what_is_admitted_is_what_a_backend_sees_and_what_is_answered(
    outcomes: dict[str, Outcome],
) -> None:
    wrong = {
        name: outcomes[name]
        for name, (_, targets) in ADMITTED.items()
        if not _is_admitted(outcomes[name], targets)
    }
    assert not wrong, wrong


def _is_admitted(found: Outcome, targets: list[str]) -> bool:
    answered = found.answers.count(b"HTTP/1.1 200 OK\r\n")
    return (
        [one.target for one in found.seen] == targets
        and not found.faults
        and found.admitted == found.sent == answered == len(targets)
    )


@pytest.mark.parametrize("name", ["CL.0", "trailer", "pipelined behind chunks", "CHUNKED"])
def test_how_the_bytes_are_cut_changes_nothing(name: str) -> None:
    raw, targets = ADMITTED[name]

    async def say() -> list[list[str]]:
        async with laboratory() as lab:
            cuts = range(1, len(raw), 9)
            found = [await _outcome(lab, raw[:cut], raw[cut:]) for cut in cuts]
            return [[one.target for one in each.seen] for each in found]

    assert all(seen == targets for seen in on_loop(say()))
