"""The laboratory in short: the bank keeps its promises, and one that does not is found out."""

import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.faults._books import read_gids
from tests.faults._broken_watch import NO_FENCE, SKIPS_ONE
from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory, Template, laboratory, template
from tests.faults._nemesis import Fault
from tests.faults._opening import HOMES
from tests.faults._programs import watch, worker
from tests.faults._proxy import Moment
from tests.faults._wire import Statement
from tests.faults.changes import ChangeCase, ChangeRun
from tests.faults.exhaustive import Case, Coordinator, CutCase, Run
from tests.faults.random_mix import Mix, Plan

SELECTION = (
    Case(step="prepared", harm=Coordinator.KILLED),
    Case(step="decided", harm=Coordinator.KILLED),
    Case(step="begun", harm=Fault.RESET),
    Case(step="prepared", harm=Fault.CRASH),
    Case(step="decided", harm=Fault.CRASH),
    Case(step="decided", harm=Fault.CRASH, at_source=False),
    CutCase(statement=Statement.PREPARE, moment=Moment.AFTER),
    CutCase(statement=Statement.COMMIT, moment=Moment.BEFORE),
    CutCase(statement=Statement.COMMIT, moment=Moment.AFTER),
    CutCase(statement=Statement.COMMIT_PREPARED, moment=Moment.BEFORE),
)

CHANGES = (
    ChangeCase(kind="open", step="changed", fault=None, node="MUM"),
    ChangeCase(kind="close", step="asked", fault=Fault.CRASH, node="MUM"),
    ChangeCase(kind="give", step="changed", fault=Fault.CRASH, node="default"),
)


@pytest.fixture(scope="module")
def opened() -> Iterator[Template]:
    with template() as opened:
        yield opened


def forgetful(lab: Laboratory, case: Case) -> Iterator[Case]:
    """Let the servers answer before the disk has it, once the bank has seen that they do not."""
    for node in lab.nodes.values():
        with node.connect() as server:
            server.execute("ALTER SYSTEM SET synchronous_commit = off")
            server.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            server.execute("SELECT pg_reload_conf()")
    yield case


def broken_promises(
    lab: Laboratory, cases: Iterable[Case], *, name: str, flaw: str | None = None
) -> set[int]:
    """Return the points that the checker finds broken."""
    judge = Judge()
    Run(lab, judge, name=name).through(cases, flaw=flaw)
    return {int(failure.split("(")[1][0]) for failure in judge.failures if "(" in failure}


def test_head_office_and_branch_agree_about_accounts_whatever_fails(opened: Template) -> None:
    judge = Judge()
    with laboratory(opened) as lab:
        ChangeRun(lab, judge).through(CHANGES)
    assert judge.failures == []
    assert judge.counts["cases"] == len(CHANGES)


def test_faults_lose_no_money_and_double_none(opened: Template) -> None:
    judge = Judge()
    with laboratory(opened) as lab:
        Run(lab, judge, name="case").through(SELECTION)
        Mix(lab, judge, Plan(faults=6, seed=1)).run()
    assert judge.failures == []
    assert judge.counts["transfers_ok"] > 30


def test_a_silent_node_keeps_nobody_else_in_doubt(opened: Template) -> None:
    payer, payee = (next(n for n, home in HOMES.items() if home == at) for at in ("default", "MUM"))
    with laboratory(opened) as lab, watch(lab), worker(lab, name="w", seed=0) as sender:
        sender.wait_until_ready()
        sender.tell("die decided")
        sender.hear("awaiting")
        lab.nodes["DEL"].pause()
        sender.tell(f"send key {payer} {payee} 1")
        with lab.nodes["MUM"].connect() as mumbai:
            assert eventually(lambda: not sender.is_alive, seconds=10)
            assert read_gids(mumbai.cursor()) != []
            assert eventually(lambda: not read_gids(mumbai.cursor()), seconds=5)


def eventually(is_so: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until something is so; tell whether it came to be."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_the_checker_sees_what_a_sweep_forgets(opened: Template) -> None:
    case = Case(step="prepared", harm=Coordinator.KILLED)
    with laboratory(opened) as lab:
        assert broken_promises(lab, [case], name="skips", flaw=SKIPS_ONE) == {6}


def test_the_checker_sees_what_a_sweep_without_a_fence_loses(opened: Template) -> None:
    case = Case(step="prepared", harm=Coordinator.STALLED)
    with laboratory(opened) as lab:
        assert broken_promises(lab, [case], name="fence", flaw=NO_FENCE) == {5, 6, 9}


def test_the_checker_sees_what_a_forgetful_server_mints(opened: Template) -> None:
    case = Case(step="decided", harm=Fault.CRASH)
    with laboratory(opened) as lab:
        found = broken_promises(lab, forgetful(lab, case), name="forgets")
    assert {5, 9} <= found
