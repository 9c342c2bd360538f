"""`make run`, as a person at a terminal has it: open, crash, close, open again."""

import http.client
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path

import psutil
import psycopg
import pytest

from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import wait_until_ready
from tests.client.sitting import INSTALLED, sitting
from tests.functional.runtime.rehearsal import Rehearsal
from tests.functional.runtime.terminal import CTRL_C, Bank, Terminal, kill
from tests.functional.runtime.tutorial import assert_money_has_crossed, follow
from tests.restarting import book_faults, load, restart, wait_until_all_serve, workers
from transactions.demo.loading import PASSWORD as DEMO_PASSWORD

MAKE_RUN = ("make", "run")
BRANCH_SERVERS = ("postgres-MUM", "postgres-DEL", "postgres-replica")
DATABASES = ("postgres", *BRANCH_SERVERS, "valkey")
PROCESSES = ("balancer", "web", "worker", "worker-long", "beat", "watch")

WAYS_TO_CLOSE: dict[str, Callable[[Terminal], None]] = {
    "Ctrl-C": lambda terminal: terminal.type(CTRL_C),
    "the window closed": lambda terminal: terminal.close(),
    "SIGTERM": lambda terminal: terminal.process.terminate(),
    "make killed": lambda terminal: terminal.process.kill(),
    "hang-up": lambda terminal: os.killpg(terminal.process.pid, signal.SIGHUP),
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Give one bank that was opened once, and keeps its data, over all tests of this module."""
    bank = Bank(tmp_path_factory.mktemp("bank") / "var")
    with closed_in_the_end(bank, "Ctrl-C") as terminal:
        bank.wait_until_open(terminal)
        with psycopg.connect(bank.told()["OWNER_DATABASE_URL"]) as database:
            database.execute("CREATE TABLE public.mark AS SELECT 42 AS value")
    return bank


def forget_a_migration(bank: Bank) -> None:
    """Make the nodes of a running bank ones of an older schema."""
    told = bank.told()
    owner = told["OWNER_DATABASE_URL"].partition("@")[0]
    for url in (*bank.primaries(), told["REPLICA_DATABASE_URL"]):
        with psycopg.connect(f"{owner}@{url.partition('@')[2]}") as node:
            node.execute("DROP TABLE IF EXISTS django_session")
            node.execute("DELETE FROM django_migrations WHERE app = 'sessions'")


def forget_branches(bank: Bank) -> None:
    """Make the head office one of a bank that had no other nodes, before it opens."""
    owner = bank.told()["OWNER_DATABASE_URL"]
    wait_until_ready(owner, seconds=30)
    with psycopg.connect(owner) as head_office:
        head_office.execute("DELETE FROM transactions_node")


def wait_for_unborn(bank: Bank) -> None:
    """Return once one of the bank's processes is held up between its making and its program."""
    supervisor = psutil.Process(int((bank.folder / "run" / "supervisor.pid").read_text("ascii")))
    deadline = time.monotonic() + 30
    while not any(
        one.cmdline() == supervisor.cmdline() and time.time() - one.create_time() > 1
        for one in supervisor.children()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def assert_closed(bank: Bank) -> None:
    """Check that nothing is left of a bank but its data."""
    bank.wait_until_gone()
    assert not (bank.folder / "run" / "nodes.json").exists()
    assert not list((bank.folder / "run" / "processes").iterdir())


@contextmanager
def closed_in_the_end(
    bank: Bank, way: str, command: Sequence[str] = MAKE_RUN, **environment: str
) -> Iterator[Terminal]:
    """Run the bank for the block, close it in one of the ways, and check that it is."""
    with bank.run(command, **environment) as terminal:
        yield terminal
        bank.wait_for_new("watch", 0)
        WAYS_TO_CLOSE[way](terminal)
        assert_closed(bank)
        assert "Traceback" not in terminal.read()


@contextmanager
def recorded_stranger(bank: Bank) -> Iterator[psutil.Process]:
    """Give a stranger that has the process id which an earlier run recorded as its own."""
    record = bank.folder / "run" / "processes" / "backup"
    stranger = psutil.Popen(["sleep", "600"], start_new_session=True)
    try:
        record.write_text(f"{stranger.pid} {stranger.create_time() - 60!r}".ljust(48))
        yield stranger
    finally:
        stranger.kill()
        stranger.wait()


class TestOpenBank:
    """What a bank is like that was opened before; its window is closed in the end."""

    @pytest.fixture(scope="class")
    @classmethod
    def terminal(cls, bank: Bank) -> Iterator[Terminal]:
        """Open the bank once for all who look at it."""
        with closed_in_the_end(bank, "the window closed", API_RATE_LIMIT="1000000000") as terminal:
            bank.wait_until_open(terminal)
            yield terminal

    def test_keeps_its_data(self, bank: Bank, terminal: Terminal) -> None:
        assert mark_of(bank) == 42
        for page in ("/staff/", "/admin/", "/api/v1/docs/", "/outbox/"):
            terminal.wait_for(f"  http://localhost:{bank.port}{page}")
        assert "migrating" not in terminal.read()

    @pytest.mark.usefixtures("terminal")
    def test_is_served_by_four_servers(self, bank: Bank) -> None:
        systems = set()
        for address in (*bank.primaries(), bank.told()["REPLICA_DATABASE_URL"]):
            with psycopg.connect(address) as node:
                row = node.execute("SELECT system_identifier FROM pg_control_system()")
                systems.add(row.fetchone())
        assert len(systems) == 4
        with psycopg.connect(bank.told()["DATABASE_URL"]) as head_office:
            found = head_office.execute(
                "SELECT b.code, b.number, b.name FROM accounts_branch b"
                " JOIN transactions_node n ON n.branch_id = b.id ORDER BY 2"
            ).fetchall()
            names = head_office.execute("SELECT application_name FROM pg_stat_activity")
            assert ("web",) in names.fetchall()
        assert found == [("MUM", 201, "Mumbai"), ("DEL", 202, "Delhi")]

    def test_serves_the_people_of_the_demo_at_a_terminal(
        self, bank: Bank, terminal: Terminal, tmp_path: Path
    ) -> None:
        at = partial(sitting, url=f"http://localhost:{bank.port}", home=tmp_path, program=INSTALLED)
        emails = dict(re.findall(r"^ *(customer|admin) +(\S+@\S+)", terminal.read(), re.MULTILINE))
        with at() as desk:
            desk.answers("E-mail", emails["customer"])
            desk.answers("Password", DEMO_PASSWORD)
            desk.chooses("Exit")
            desk.ends()
        with at("accounts", "list", "--plain", "-q") as desk:
            own = {line.split("\t")[0] for line in desk.ends().splitlines()}
        with at("tx", "list", "--kind", "transfer", "--limit", "1", "--json", "-q") as desk:
            (known,) = json.loads(desk.ends())
        mine, other = known["debit_account"], known["credit_account"]
        mine, other = (mine, other) if mine in own else (other, mine)
        with at("transfer", "create", "--from", mine, "--to", other, "--amount", "1") as desk:
            desk.answers(f"Send 1 {known['currency']}", "y")
            desk.sees("Booked")
            desk.ends()
        with at("logout") as desk:
            desk.ends()
        with at() as desk:
            desk.answers("E-mail", emails["admin"])
            desk.answers("Password", DEMO_PASSWORD)
            desk.chooses("All transactions")
            desk.sees(other)
            desk.chooses("Exit")
            desk.ends()

    @pytest.mark.usefixtures("terminal")
    def test_is_what_the_tutorial_says(self, bank: Bank, tmp_path: Path) -> None:
        url = f"http://localhost:{bank.port}"
        at = partial(sitting, url=url, home=tmp_path, program=INSTALLED)
        assert_money_has_crossed(follow(bank, at))

    @pytest.mark.usefixtures("terminal")
    def test_knows_through_its_balancer_who_asks(self, bank: Bank) -> None:
        forged = {"Host": "localhost", "X-Forwarded-For": "198.51.100.7"}
        assert log_in_at(bank.port, "127.0.0.9", forged) == HTTPStatus.UNAUTHORIZED
        with psycopg.connect(bank.told()["DATABASE_URL"]) as database:
            last = "SELECT host(address) FROM accounts_login ORDER BY id DESC LIMIT 1"
            assert database.execute(last).fetchone() == ("127.0.0.9",)
        for place in bank.told()["BACKEND_NETWORKS"].split(","):
            port = int(place.rpartition(":")[2])
            assert log_in_at(port, "127.0.0.9", forged) == HTTPStatus.FORBIDDEN

    @pytest.mark.usefixtures("terminal")
    def test_loses_nothing_while_a_worker_is_restarted(self, bank: Bank) -> None:
        wait_until_all_serve(bank)
        with load(bank, clients=3, pause=0.05) as found:
            restart(bank, workers(bank)[0])
        assert not found.failures
        assert {"page 200", "transfer 201"} <= {*found.outcomes}
        assert not book_faults(bank, found)

    def test_starts_crashed_processes_again(self, bank: Bank, terminal: Terminal) -> None:
        # The servers first: what starts without them ends by itself, too.
        for names in (DATABASES, PROCESSES):
            crashed = {name: bank.wait_for_new(name, 0) for name in names}
            for old in crashed.values():
                # It may just have ended by itself, of those before: then it comes back as well.
                with suppress(ProcessLookupError):
                    kill(old)
            for name, old in crashed.items():
                bank.wait_for_new(name, old)
                terminal.wait_for(f"{name} ended by itself; it is started again")
        bank.wait_until_open(terminal)


def mark_of(bank: Bank) -> int:
    """Return what was written when the bank was first opened."""
    with psycopg.connect(bank.told()["DATABASE_URL"]) as database:
        ((value,),) = database.execute("SELECT value FROM public.mark").fetchall()
    return int(value)


def log_in_at(port: int, source: str, headers: Mapping[str, str]) -> int:
    """Return the status of a log-in with a wrong password, from an address of this machine."""
    with closing(
        http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    ) as web:
        body = json.dumps({"email": "asha.rao@demo.example", "password": "wrong"})
        sent = {**headers, "Content-Type": "application/json"}
        web.request("POST", "/api/v1/auth/login", body, sent)
        return web.getresponse().status


class TestKilledSupervisor:
    """The start after one whose supervisor was killed; its make is killed in the end.

    Meanwhile the code has got a migration more, and the bank another place and time zone.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def stranger(cls, bank: Bank) -> Iterator[psutil.Process]:
        """Leave the bank's processes behind, and the record of one that ended long ago."""
        with bank.run() as killed:
            bank.wait_until_open(killed)
            bank.wait_for_new("watch", 0)
            kill(killed.process.pid)
            killed.process.wait()
            forget_a_migration(bank)
            with recorded_stranger(bank) as stranger:
                yield stranger

    @pytest.fixture(scope="class")
    @classmethod
    def left(cls, bank: Bank, stranger: psutil.Process) -> set[int]:
        """Return which processes are left."""
        left = {process.pid for process in bank.processes()}
        assert bank.pid("postgres") in left
        assert stranger.pid not in left
        return left

    @pytest.fixture(scope="class")
    @classmethod
    def terminal(cls, bank: Bank, left: set[int]) -> Iterator[Terminal]:
        """Open the bank after that."""
        assert left
        bank.port = first_free(bank.port + 1)
        with closed_in_the_end(bank, "make killed", BANK_TIME_ZONE="Asia/Tokyo") as terminal:
            bank.wait_until_open(terminal)
            yield terminal

    def test_next_start_ends_what_is_left(
        self, bank: Bank, left: set[int], terminal: Terminal
    ) -> None:
        terminal.wait_for("Stopped what an earlier run left")
        assert not left & {process.pid for process in bank.processes()}

    @pytest.mark.usefixtures("terminal")
    def test_stranger_with_a_recorded_process_id_is_left_alone(
        self, stranger: psutil.Process
    ) -> None:
        assert stranger.is_running()
        assert stranger.status() != psutil.STATUS_ZOMBIE

    def test_next_start_is_where_it_is_told_to_be_and_known_beside_it(
        self, bank: Bank, terminal: Terminal
    ) -> None:
        terminal.wait_for(f"The bank is open: http://localhost:{bank.port}")
        assert bank.told()["BANK_TIME_ZONE"] == "Asia/Tokyo"

    def test_older_schema_is_migrated(self, bank: Bank, terminal: Terminal) -> None:
        # One on each of three nodes, and on the replica.
        terminal.wait_for("migrating: 4 steps")
        command = bank.manage("migrate", "--check")
        assert command.returncode == 0, command.stderr

    @pytest.mark.usefixtures("terminal")
    def test_a_second_one_beside_it_is_refused(self, bank: Bank) -> None:
        second = bank.window(PORT=str(bank.port + 1))
        assert second.wait() == 1
        running = (bank.folder / "run" / "supervisor.pid").read_text(encoding="ascii").strip()
        assert f"runs already (process {running})" in second.shown
        assert bank.health() == HTTPStatus.OK


class TestCloseBank:
    def test_follows_the_end_of_its_parent_alone(self, bank: Bank) -> None:
        with bank.run(("sh", "-c", "make run; sleep 600")) as terminal:
            bank.wait_until_open(terminal)
            (make,) = psutil.Process(terminal.process.pid).children()
            kill(make.pid)
            terminal.wait_for("Closing the bank")

    def test_works_while_it_opens(self, bank: Bank) -> None:
        # The pages' process cannot write it, and so not become its program, until it is read.
        record = bank.folder / "run" / "processes" / "web"
        os.mkfifo(record)
        with bank.run(MAKE_RUN) as terminal:
            # The start looks who is left, and reads nothing.
            os.close(os.open(record, os.O_WRONLY))
            bank.wait_for_new("postgres", 0)
            wait_for_unborn(bank)
            record.unlink()
            terminal.type(CTRL_C)
            assert_closed(bank)
            assert "Traceback" not in terminal.read()
        log = (bank.folder / "log" / "supervisor.log").read_text(encoding="utf-8")
        told = log.rpartition("received SIGINT")[2]
        assert "stopped: web (terminated by SIGTERM)" in told
        assert "SIGKILL" not in told


class TestTwoMachines:
    """The guide for them, followed until a hang-up of the first one's terminal."""

    def test_guide_takes_500_rupees_from_branch_to_branch(self, bank: Bank, tmp_path: Path) -> None:
        guide = Rehearsal(bank, tmp_path / "var-delhi")
        with closed_in_the_end(bank, "hang-up", guide.next("make run")) as terminal:
            bank.wait_until_open(terminal)
            with guide.branch() as (_mumbai, payer):
                guide.do("mkdir")
                guide.do("cp")
                with guide.branch() as (_delhi, payee):
                    time.sleep(2)
                    guide.pay(payer, payee)
                    shown = guide.do("manage.py nodes")
                    assert "NDL Delhi" in shown
                    assert "down" not in shown
                    assert json.loads(guide.do("check_books"))["clean"]
        assert guide.is_done


@pytest.mark.usefixtures("haproxy")
class TestNewSettings:
    """A bank that had one node, no other balancer and no other address until now; by SIGTERM."""

    @pytest.fixture(scope="class")
    @classmethod
    def terminal(cls, bank: Bank) -> Iterator[Terminal]:
        """Open the bank with all of that."""
        for name in BRANCH_SERVERS:
            shutil.rmtree(bank.folder / "data" / name)
        history = bank.folder / "history.json"
        noted = json.loads(history.read_text())
        del noted["nodes"]
        history.write_text(json.dumps(noted))
        with closed_in_the_end(bank, "SIGTERM", HOST="127.0.0.2", LB="haproxy") as terminal:
            bank.wait_for_new("postgres", 0)
            forget_branches(bank)
            terminal.wait_for(f"The bank is open: http://127.0.0.2:{bank.port}", 240)
            yield terminal

    def test_add_nodes(self, bank: Bank, terminal: Terminal) -> None:
        terminal.wait_for("Branch DEL Delhi")
        assert mark_of(bank) == 42

    @pytest.mark.usefixtures("terminal")
    def test_move_the_pages(self, bank: Bank) -> None:
        with closing(http.client.HTTPConnection("127.0.0.2", bank.port, timeout=5)) as web:
            web.request("GET", "/health")
            assert web.getresponse().status == HTTPStatus.OK


class TestDamagedBank:
    """A branch's data are lost; the supervisor is killed in the end, and the bank is cleaned."""

    @pytest.fixture(scope="class")
    @classmethod
    def terminal(cls, bank: Bank) -> Iterator[Terminal]:
        """Open the bank that is left."""
        (bank.folder / "data" / "postgres-DEL" / "global" / "pg_control").write_bytes(b"")
        with bank.run() as terminal:
            bank.wait_until_open(terminal)
            yield terminal

    def test_goes_on_without_a_branch_that_does_not_start(self, terminal: Terminal) -> None:
        assert "postgres-DEL does not start; the others go on: " in terminal.read()

    def test_clean_ends_what_is_left_and_forgets_the_data(
        self, bank: Bank, terminal: Terminal
    ) -> None:
        kill(terminal.process.pid)
        terminal.process.wait()
        model = bank.folder / "risk" / "demo" / "model.json"
        model.parent.mkdir(parents=True, exist_ok=True)
        model.touch()
        with bank.run(("make", "clean")) as cleaning:
            assert cleaning.wait() == 0
        bank.wait_until_gone(seconds=0)
        assert not bank.folder.exists()
