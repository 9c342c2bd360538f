"""The checker is checked: a bank that breaks its promises is found out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory, Template, laboratory
from tests.faults._nemesis import Fault
from tests.faults._programs import NO_FENCE, SKIPS_ONE
from tests.faults.exhaustive import Case, Coordinator, Run


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """What is wrong with a bank, the case that brings it to light, and the promises it breaks.

    ``watch`` is the flaw of its `manage.py watch`; without one its servers are forgetful.
    """

    name: str
    case: Case
    breaks: frozenset[int]
    watch: str | None = None


FORGOTTEN_BY_THE_SWEEP: Final = Flaw(
    name="a sweep forgets one",
    case=Case(step="prepared", harm=Coordinator.KILLED),
    breaks=frozenset({6}),
    watch=SKIPS_ONE,
)
NOT_FENCED: Final = Flaw(
    name="a sweep has no fence",
    case=Case(step="prepared", harm=Coordinator.STALLED),
    breaks=frozenset({5, 6, 9}),
    watch=NO_FENCE,
)
FORGETFUL_SERVERS: Final = Flaw(
    name="servers answer before the disk has it",
    case=Case(step="decided", harm=Fault.CRASH),
    breaks=frozenset({5, 9}),
)
FLAWS: Final = (FORGOTTEN_BY_THE_SWEEP, NOT_FENCED, FORGETFUL_SERVERS)


def broken_promises(opened: Template, flaw: Flaw) -> set[int]:
    """Return the points that the checker finds broken in a bank with a flaw."""
    judge = Judge()
    with laboratory(opened) as lab:
        Run(lab, judge, name="flaw").through(_cases(lab, flaw), flaw=flaw.watch)
    return {int(failure.split("(")[1][0]) for failure in judge.failures if "(" in failure}


def _cases(lab: Laboratory, flaw: Flaw) -> Iterator[Case]:
    # The bank refuses to open on such servers: it has seen that they were not.
    if flaw.watch is None:
        _let_forget(lab)
    yield flaw.case


def _let_forget(lab: Laboratory) -> None:
    for node in lab.nodes.values():
        with node.connect() as server:
            server.execute("ALTER SYSTEM SET synchronous_commit = off")
            server.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            server.execute("SELECT pg_reload_conf()")
