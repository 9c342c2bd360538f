"""The laboratory in short: the bank keeps its promises, and one that does not is found out."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.faults._books import read_gids
from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory, Template, laboratory, template
from tests.faults._nemesis import Fault
from tests.faults._opening import HOMES
from tests.faults._programs import watch, worker
from tests.faults._proxy import Moment
from tests.faults._wire import Statement
from tests.faults.changes import ChangeCase, ChangeRun
from tests.faults.exhaustive import Case, Coordinator, CutCase, Run
from tests.faults.flaws import NOT_FENCED, broken_promises
from tests.faults.random_mix import Mix, Plan
from tests.proofs import restore

SELECTION = (
    Case(step="prepared", harm=Coordinator.KILLED),
    Case(step="decided", harm=Coordinator.KILLED),
    Case(step="prepared", harm=Fault.CRASH),
    Case(step="decided", harm=Fault.CRASH),
    CutCase(statement=Statement.PREPARE, moment=Moment.AFTER),
    CutCase(statement=Statement.COMMIT, moment=Moment.AFTER),
    CutCase(statement=Statement.COMMIT_PREPARED, moment=Moment.BEFORE),
)

CHANGES = (
    ChangeCase(step="changed", kinds=("open",)),
    ChangeCase(step="asked", fault=Fault.CRASH, kinds=("close",)),
    ChangeCase(step="changed", fault=Fault.CRASH, node="default", kinds=("give",)),
)


@pytest.fixture(scope="module")
def opened() -> Iterator[Template]:
    with template() as opened:
        yield opened


def test_the_checker_sees_what_a_sweep_without_a_fence_loses(opened: Template) -> None:
    # First of all: there is one laboratory at a time.
    assert broken_promises(opened, NOT_FENCED) >= NOT_FENCED.breaks


def test_a_bank_that_burned_is_back_as_of_a_mark_and_a_branch_as_of_its_last_answer(
    opened: Template,
) -> None:
    plan = restore.Plan(points=1, fires=1, seed=1, processes=1, is_copied=False)
    found = restore.prove(plan, opened)
    assert found.failures == []
    assert (found.counts["points"], found.counts["fires"]) == (1, 1)
    assert found.counts["answers_at_points"] > 0


@pytest.fixture(scope="module")
def lab(opened: Template) -> Iterator[Laboratory]:
    with laboratory(opened) as lab:
        yield lab


def test_faults_lose_no_money_and_double_none(lab: Laboratory) -> None:
    judge = Judge()
    Run(lab, judge, name="case").through(SELECTION)
    Mix(lab, judge, Plan(faults=4, seed=1)).run()
    assert judge.failures == []
    assert judge.counts["transfers_ok"] > 20


def test_a_silent_node_keeps_nobody_else_in_doubt(lab: Laboratory) -> None:
    payer = somebody_with_money(lab)
    payee = next(number for number, home in HOMES.items() if home == "MUM")
    with watch(lab), worker(lab, name="w", seed=0) as sender:
        sender.wait_until_ready()
        sender.tell("die decided")
        sender.hear("awaiting")
        lab.nodes["DEL"].pause()
        sender.tell(f"send key {payer} {payee} 1")
        with lab.nodes["MUM"].connect() as mumbai:
            assert eventually(lambda: not sender.is_alive, seconds=10)
            assert read_gids(mumbai.cursor()) != []
            assert eventually(lambda: not read_gids(mumbai.cursor()), seconds=5)
    lab.heal()


def test_what_no_standby_has_yet_settles_nothing_and_is_no_answer(lab: Laboratory) -> None:
    payer = somebody_with_money(lab)
    payee = next(number for number, home in HOMES.items() if home == "MUM")
    with (
        worker(lab, name="f", seed=0) as first,
        worker(lab, name="a", seed=0) as again,
        lab.nodes["MUM"].connect() as mumbai,
    ):
        for each in (first, again):
            each.wait_until_ready()
        first.tell(f"send usual {payer} {payee} 1")
        first.hear("sent ok")
        with waiting_for_standbys(lab) as head_office:
            first.tell(f"send lasting {payer} {payee} 1")
            assert eventually(lambda: "COMMIT" in " ".join(waiting(head_office)), seconds=20)
            first.kill()
            # Whoever is told to end stops waiting: others see then what this server alone has.
            head_office.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE wait_event = 'SyncRep'"
            )
            (gid,) = read_gids(mumbai.cursor())
            assert eventually(lambda: is_decided(head_office, gid), seconds=20)
            with pytest.raises(RuntimeError, match=gid):
                lab.manage("sweep")
            assert read_gids(mumbai.cursor()) == [gid]
            again.tell(f"send lasting {payer} {payee} 1")
            assert eventually(lambda: "message" in " ".join(waiting(head_office)), seconds=20)
            assert not again.has_said("sent ok")
    assert json.loads(lab.manage("sweep"))["committed"] == 1


def test_who_waited_for_an_account_is_answered_when_its_transfer_is_on_disk(
    lab: Laboratory,
) -> None:
    payer = somebody_with_money(lab)
    payee = next(one for one, home in HOMES.items() if home == "default" and one != payer)
    head_office = lab.nodes["default"]
    with worker(lab, name="f", seed=0) as first, worker(lab, name="a", seed=0) as second:
        senders = (first, second)
        for sender in senders:
            sender.wait_until_ready()
        with head_office.connect() as ahead:
            # Only when somebody waits for it, as long as nobody has to.
            ahead.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            ahead.execute("SELECT pg_reload_conf()")
            before = count_paid(ahead, payer)
            ahead.execute("SELECT pg_advisory_lock(%s)", [payer])
            for number, sender in enumerate(senders):
                sender.tell(f"send hot{number} {payer} {payee} 1")
            assert eventually(lambda: count_blocked(ahead) == len(senders), seconds=20)
            ahead.execute("SELECT pg_advisory_unlock_all()")
            for sender in senders:
                sender.hear("sent ok")
            head_office.crash()
    lab.heal()
    with head_office.connect() as again:
        again.execute("ALTER SYSTEM RESET wal_writer_delay")
        again.execute("SELECT pg_reload_conf()")
        assert count_paid(again, payer) == before + len(senders)


def test_where_standbys_are_waited_for_nobody_leaves_an_account_early(lab: Laboratory) -> None:
    payer = somebody_with_money(lab)
    payee = next(one for one, home in HOMES.items() if home == "default" and one != payer)
    with worker(lab, name="f", seed=0) as sender, lab.nodes["default"].connect() as ahead:
        sender.wait_until_ready()
        ahead.execute("SELECT pg_advisory_lock(%s)", [payer])
        with waiting_for_standbys(lab) as head_office:
            sender.tell(f"send late {payer} {payee} 1")
            assert eventually(lambda: count_blocked(ahead) == 1, seconds=20)
            ahead.execute("SELECT pg_advisory_unlock_all()")
            assert eventually(lambda: "post_v2" in " ".join(waiting(head_office)), seconds=20)
        sender.hear("sent ok")


def count_paid(server: psycopg.Connection, payer: int) -> int:
    """Return how many transfers an account has paid."""
    rows = server.execute("SELECT count(*) FROM ledger.journal WHERE debit = %s", [payer])
    ((count,),) = rows.fetchall()
    return int(count)


def count_blocked(server: psycopg.Connection) -> int:
    """Return how many of the bank's statements wait for somebody else's transaction."""
    rows = server.execute(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
    )
    ((count,),) = rows.fetchall()
    return int(count)


@contextmanager
def waiting_for_standbys(lab: Laboratory) -> Iterator[psycopg.Connection]:
    """Let the head office answer nothing that its standby lacks, which does not come."""
    with lab.nodes["default"].connect() as head_office:
        head_office.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        head_office.execute("SELECT pg_reload_conf()")
        try:
            asked, said = "SHOW synchronous_standby_names", ("nobody",)
            assert eventually(lambda: head_office.execute(asked).fetchone() == said, seconds=20)
            # Whether commits wait is told by the checkpointer, once it has looked up from its work.
            head_office.execute("CHECKPOINT")
            yield head_office
        finally:
            head_office.execute("ALTER SYSTEM RESET synchronous_standby_names")
            head_office.execute("SELECT pg_reload_conf()")


def waiting(server: psycopg.Connection) -> list[str]:
    """Return what waits for standbys."""
    rows = server.execute("SELECT query FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    return [query for (query,) in rows.fetchall()]


def is_decided(server: psycopg.Connection, gid: str) -> bool:
    """Tell whether others can read that a transfer is decided."""
    query = "SELECT FROM ledger.decision WHERE id = %s AND state = 'committed'"
    return server.execute(query, [gid.split(":")[4]]).fetchone() is not None


def somebody_with_money(lab: Laboratory) -> int:
    """Return an account at the head office that has money: at random, some give all of theirs."""
    mine = [number for number, home in HOMES.items() if home == "default"]
    richest = "SELECT number FROM ledger.balance WHERE number = ANY(%s) ORDER BY balance DESC"
    with lab.nodes["default"].connect() as head_office:
        found = head_office.execute(richest, [mine]).fetchone()
    assert found is not None
    return int(found[0])


def eventually(is_so: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until something is so; tell whether it came to be."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_head_office_and_branch_agree_about_accounts_whatever_fails(lab: Laboratory) -> None:
    # Last of all: it leaves accounts behind that the others do not know.
    judge = Judge()
    ChangeRun(lab, judge).through(CHANGES)
    assert judge.failures == []
    assert judge.counts["cases"] == len(CHANGES)
