"""Debian's HAProxy under our driver: it obeys snapshots, and never loses a request over one."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from bankproject.runtime.ports import first_free
from lb.control.figures import Figures, added_up
from lb.control.publishing import write_snapshot_file
from lb.snapshot import Backend, Check, Deadlines, Policy, RateLimit, Snapshot
from tests.certificates import Authority, Files
from tests.integration.balancing.conftest import Answering, answering

SECONDS = 30.0


class Balancer:
    """The driver's process, told by snapshots in a file."""

    def __init__(self, program: Path, folder: Path, tls: Files | None = None) -> None:
        self.file, self.log = folder / "snapshot.json", folder / "log"
        self.tls = tls
        self.port = first_free(21_900)
        self.monitor = first_free(self.port + 1)
        self.version = 0
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "lb.haproxy", "--haproxy", str(program)),
                    *("--snapshot", str(self.file)),
                    *("--listen", f"127.0.0.1:{self.port}"),
                    *("--monitor", f"127.0.0.1:{self.monitor}"),
                    *(("--certificate", str(tls.pem)) if tls else ()),
                ],
                stderr=log,
            )

    def obey(self, backends: Sequence[Answering], **options: Any) -> None:
        """Give it a snapshot, and wait until it is obeyed."""
        self.version += 1
        named = tuple(
            Backend(name=one.name.decode(), host="127.0.0.1", port=one.port) for one in backends
        )
        check = Check(interval_seconds=0.1)
        found = Snapshot(
            version=self.version,
            backends=named,
            check=check,
            deadlines=Deadlines(drain_seconds=1.0),
            **options,
        )
        write_snapshot_file(found, self.file)
        until(lambda: f"lb_snapshot_version {self.version}\n" in self.metrics())

    def get(self, **headers: str) -> tuple[int, str]:
        """Return status and body of one answer, over a connection of its own."""
        connection = self.connection()
        try:
            connection.request("GET", "/", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def named(self, given: str) -> tuple[int, str]:
        """Return status and id of the answer to a request with an id."""
        connection = self.connection()
        try:
            connection.request("GET", "/", headers={"X-Request-ID": given} if given else {})
            answer = connection.getresponse()
            return answer.status, answer.headers["X-Request-ID"]
        finally:
            connection.close()

    def connection(self) -> HTTPConnection:
        """Return a connection to come."""
        if self.tls is None:
            return HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        context = ssl.create_default_context(cafile=self.tls.authority)
        return HTTPSConnection("localhost", self.port, timeout=SECONDS, context=context)

    def serial(self) -> str:
        """Return the number of the certificate that a new connection is shown."""
        connection = self.connection()
        connection.connect()
        try:
            assert isinstance(connection.sock, ssl.SSLSocket)
            shown = connection.sock.getpeercert()
            assert shown
            return str(shown["serialNumber"])
        finally:
            connection.close()

    def answers(self, count: int) -> Counter[tuple[int, str]]:
        """Return how often each answer came."""
        return Counter(self.get() for _request in range(count))

    def metrics(self) -> str:
        """Return what it measures; nothing before it does."""
        connection = HTTPConnection("127.0.0.1", self.monitor, timeout=SECONDS)
        with suppress(OSError):
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        return ""

    def figures(self) -> dict[str, Figures]:
        """Return what the control plane reads of it."""
        return added_up([self.metrics()])

    def children(self) -> list[int]:
        """Return HAProxy's processes."""
        return [one.pid for one in psutil.Process(self.process.pid).children()]


def until(true: Callable[[], object]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def balancer(haproxy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balancer]:
    """Give one HAProxy with its driver over all tests, and see it end without a rest."""
    found = Balancer(haproxy, tmp_path_factory.mktemp("haproxy"))
    try:
        yield found
        masters = found.children()
        found.process.send_signal(signal.SIGTERM)
        assert found.process.wait(SECONDS) == 0
        assert masters
        assert not any(psutil.pid_exists(one) for one in masters)
    finally:
        found.process.kill()
        found.process.communicate()


@pytest.fixture
def fleet() -> Iterator[list[Answering]]:
    """Give three backends."""
    with ExitStack() as stack:
        yield [stack.enter_context(answering(name)) for name in ("a", "b", "c")]


def serving(balancer: Balancer, fleet: Sequence[Answering], **options: Any) -> None:
    """Have backends balanced, and wait until each of them answers."""
    balancer.obey(fleet, **options)
    names = {one.name.decode() for one in fleet}
    seen: set[str] = set()

    def all_answer() -> bool:
        status, name = balancer.get()
        seen.add(name if status == 200 else "")
        return names <= seen

    until(all_answer)


def test_backends_come_and_go_without_a_failure(balancer: Balancer, fleet: list[Answering]) -> None:
    serving(balancer, fleet[:2])
    balancer.obey(fleet)
    assert {status for status, _name in balancer.answers(20)} == {200}
    balancer.obey(fleet[1:])
    until(lambda: (200, "a") not in balancer.answers(5))
    assert {name for _status, name in balancer.answers(40)} == {"b", "c"}


def test_one_that_fails_fast_but_says_it_is_well_is_held_out(
    balancer: Balancer, fleet: list[Answering]
) -> None:
    serving(balancer, fleet)
    fleet[0].status = 500
    until(lambda: balancer.get()[0] == 500 and balancer.figures()["a"].ejections)
    until(lambda: {status for status, _name in balancer.answers(20)} == {200})
    assert balancer.figures()["a"].failures >= 5


def test_its_reload_for_another_policy_loses_no_request(
    balancer: Balancer, fleet: list[Answering]
) -> None:
    serving(balancer, fleet)
    (master,) = balancer.children()
    balancer.version += 1
    now = json.loads(balancer.file.read_text())
    now.update(version=balancer.version, policy=Policy.ROUND_ROBIN.value)
    draft = balancer.file.with_suffix(".new")
    draft.write_text(json.dumps(now))
    draft.replace(balancer.file)
    seen: Counter[tuple[int, str]] = Counter()
    obeyed = f"lb_snapshot_version {balancer.version}\n"
    until(lambda: seen.update(balancer.answers(5)) or obeyed in balancer.metrics())
    seen += balancer.answers(30)
    assert {status for status, _name in seen} == {200}
    assert {name for _status, name in seen} == {"a", "b", "c"}
    assert balancer.children() == [master]


def test_a_haproxy_that_reloads_by_itself_is_told_everything_anew(
    balancer: Balancer, fleet: list[Answering]
) -> None:
    serving(balancer, fleet)
    (master,) = balancer.children()
    os.kill(master, signal.SIGUSR2)
    time.sleep(0.2)
    until(lambda: {status for status, _name in balancer.answers(10)} == {200})
    serving(balancer, fleet)


def test_who_asks_too_much_is_told_so(balancer: Balancer, fleet: list[Answering]) -> None:
    serving(balancer, fleet)
    balancer.obey(fleet, rate_limit=RateLimit(requests_per_second=1.0, burst=5))
    until(lambda: balancer.get()[0] == 429)
    balancer.obey(fleet)
    until(lambda: balancer.get()[0] == 200)


def test_forwarding_headers_of_clients_are_replaced(
    balancer: Balancer, fleet: list[Answering]
) -> None:
    serving(balancer, fleet[:1])
    balancer.get(
        **{"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6"}
    )
    assert fleet[0].headers["X-Forwarded-For"] == "127.0.0.1"
    assert not {"Forwarded", "X-Real-IP"} & {*fleet[0].headers}


def test_each_request_has_one_id_which_a_client_may_give(
    balancer: Balancer, fleet: list[Answering]
) -> None:
    serving(balancer, fleet[:1])
    own = str(uuid4())
    for given, is_kept in ((own, True), (f"{own}, {own}", False), ("'; --", False), ("", False)):
        status, named = balancer.named(given)
        assert status == 200
        assert fleet[0].headers.get_all("X-Request-ID") == [named] == [str(UUID(named))]
        assert (named == given) is is_kept


def test_what_it_answers_itself_is_logged_under_the_id_it_names(
    balancer: Balancer, fleet: list[Answering]
) -> None:
    serving(balancer, fleet[:1])
    own = str(uuid4())
    balancer.obey([])
    until(lambda: balancer.named(own) == (503, own))
    line = {"event": "answered_itself", "logger": "lb", "status": 503}
    until(lambda: f'"request_id": "{own}"' in balancer.log.read_text())
    logged = [json.loads(text) for text in balancer.log.read_text().splitlines() if own in text]
    assert line.items() <= logged[0].items()


@pytest.fixture
def secured(haproxy: Path, tmp_path: Path) -> Iterator[tuple[Balancer, Authority]]:
    """Give a HAProxy that speaks TLS, and who signed its certificate."""
    authority = Authority()
    found = Balancer(haproxy, tmp_path, authority.sign(tmp_path, "localhost", days=90))
    try:
        yield found, authority
    finally:
        found.process.terminate()
        found.process.communicate(timeout=SECONDS)


def test_it_speaks_tls_and_takes_certificates_that_are_renewed(
    secured: tuple[Balancer, Authority], fleet: list[Answering], tmp_path: Path
) -> None:
    balancer, authority = secured
    serving(balancer, fleet[:1])
    assert balancer.tls
    before = balancer.serial()
    connection = balancer.connection()
    connection.request("GET", "/", headers={"X-Forwarded-Proto": "http"})
    answer = connection.getresponse()
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert fleet[0].headers["X-Forwarded-Proto"] == "https"
    answer.read()
    (tmp_path / "new").mkdir()
    authority.sign(tmp_path / "new", "localhost", days=-1).pem.replace(balancer.tls.pem)
    time.sleep(1.5)
    assert balancer.serial() == before, "an expired one was taken"
    authority.sign(tmp_path / "new", "localhost", days=90).pem.replace(balancer.tls.pem)
    until(lambda: balancer.serial() != before)
    assert balancer.get() == (200, "a")
    assert connection.sock, "it was closed"
    connection.request("GET", "/")
    last = connection.getresponse()
    assert (last.status, last.read(), last.headers["Connection"]) == (200, b"a", "close")
    connection.close()
