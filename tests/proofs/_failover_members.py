"""A node of the laboratory as a cluster that Patroni leads: etcd, members, what befalls them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import Any, Final
from urllib.request import urlopen

import psycopg
import yaml

from bankproject.runtime.identity import server_prefix
from bankproject.runtime.ports import LOOPBACK, first_free
from bankproject.runtime.postgres import DEPLOY, SUPERUSER, Cluster
from tests.faults._nodes import DATABASE, LabNode
from tests.proofs.ledger_crash import kill_server

STANDBY: Final = "bank_standby"
_ANSWER_SECONDS: Final = 2
_SAFE_SECONDS: Final = 240
_SLOTS: Final = """
SELECT slot_name FROM pg_replication_slots
WHERE slot_type = 'logical' AND NOT temporary AND invalidation_reason IS NULL
"""


class NotReady(Exception):
    """Something did not come to be in time."""


@dataclass(frozen=True, kw_only=True)
class ClusterNode(LabNode):
    """A node that is a server and its standbys: its address names them all."""

    ports: tuple[int, ...]

    def url(self, *, role: str = "bank_app") -> str:
        """Return the address, at which whoever takes writes is found."""
        places = ",".join(f"{LOOPBACK}:{port}" for port in self.ports)
        found = f"postgresql://{role}:{self.password}@{places}/{DATABASE}"
        return f"{found}?target_session_attrs=read-write"

    def connect(self, *, role: str = SUPERUSER) -> psycopg.Connection:
        """Connect to whoever takes writes, in autocommit."""
        return psycopg.connect(self.url(role=role), autocommit=True, connect_timeout=5)


class Member:
    """One server of a cluster and the Patroni that leads it, as on a machine of their own."""

    def __init__(self, cluster: Cluster, *, monitor: int, environment: Mapping[str, str]) -> None:
        """Know its places; ``configure`` comes before ``start``."""
        self.cluster = cluster
        self.monitor = monitor
        self.environment = environment
        self.printed = ""
        self.name = ""
        self._configuration = cluster.folder.with_name(f"{cluster.folder.name}.yml")
        self.log = cluster.folder.with_name(f"{cluster.folder.name}.log")
        self._patroni: Popen[bytes] | None = None

    def configure(self, printed: str, *, etcd: str, settings: Mapping[str, str]) -> None:
        """Take what `manage.py patroni` printed, but for TLS and machines of their own."""
        self.printed = printed
        found = yaml.safe_load(printed)
        self.name = found["name"]
        own = f"{LOOPBACK}:{self.monitor}"
        found["restapi"] = {"listen": own, "connect_address": own}
        del found["ctl"], found["watchdog"]
        found["etcd3"] = {"hosts": [etcd]}
        server = found["postgresql"]
        server |= {
            "data_dir": str(self.cluster.folder),
            "bin_dir": str(self.cluster.binaries.folder),
            "custom_conf": str(self.cluster.folder.with_name("primary.conf")),
            "pgpass": str(self.cluster.folder.with_name(f"{self.name}.pgpass")),
            "authentication": {
                role: {"username": each["username"]}
                for role, each in server["authentication"].items()
            },
            "pg_hba": [
                line.replace("hostssl", "host")
                for line in server["pg_hba"]
                if not line.startswith("local")
            ],
        }
        server["parameters"] |= {"ssl": "off", "unix_socket_directories": "", **settings}
        self._configuration.write_text(yaml.safe_dump(found), encoding="utf-8")

    def start(self) -> Popen[bytes]:
        """Start Patroni, which starts the server."""
        with self.log.open("ab") as log:
            self._patroni = Popen(
                [*server_prefix(), sys.executable, "-m", "patroni", str(self._configuration)],
                env=dict(self.environment),
                cwd=self.cluster.folder.parent,
                stdout=log,
                stderr=log,
            )
        return self._patroni

    def kill_server(self) -> None:
        """Kill the server's processes; Patroni sees it."""
        kill_server(self.cluster)

    def kill_machine(self) -> None:
        """Kill all there is, as when the power goes."""
        self._end(signal.SIGKILL)
        with suppress(FileNotFoundError):
            kill_server(self.cluster)

    def freeze_patroni(self) -> None:
        """Let Patroni hang while its server goes on."""
        self._send(signal.SIGSTOP)

    def wake_patroni(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def stop(self) -> None:
        """Stop both, whatever state they are in."""
        self._send(signal.SIGCONT)
        self._end(signal.SIGKILL)
        self.cluster.stop(mode="immediate")

    def connect(self) -> psycopg.Connection:
        """Connect to this very server as the superuser, whether it takes writes or not."""
        password = self.environment["PATRONI_SUPERUSER_PASSWORD"]
        url = self.cluster.url(database=DATABASE, role=SUPERUSER, password=password)
        return psycopg.connect(url, autocommit=True, connect_timeout=_ANSWER_SECONDS)

    @property
    def leads(self) -> bool:
        """Tell whether it takes writes, and its Patroni holds the lead."""
        return self._asked("primary") is not None

    @property
    def takes_writes(self) -> bool:
        """Tell whether it is a standby no more: until then it confirms what its primary writes."""
        try:
            with self.connect() as server:
                return server.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        except psycopg.Error:
            return False

    def tell(self) -> list[dict[str, Any]]:
        """Return what its Patroni knows of all members; nothing when it does not answer."""
        told = self._asked("cluster")
        return [] if told is None else list(told["members"])

    def _asked(self, what: str) -> dict[str, Any] | None:
        """Return what its Patroni answers; None when it refuses, or is silent."""
        try:
            own = f"http://{LOOPBACK}:{self.monitor}/{what}"
            with urlopen(own, timeout=_ANSWER_SECONDS) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):
            return None

    def _send(self, what: signal.Signals) -> None:
        if self._patroni is not None and self._patroni.poll() is None:
            self._patroni.send_signal(what)

    def _end(self, by: signal.Signals) -> None:
        if self._patroni is not None:
            self._send(by)
            self._patroni.wait()


class Members:
    """All members of a cluster."""

    def __init__(self, members: Sequence[Member]) -> None:
        """Take those that are to be there."""
        self.all = list(members)

    def start(self) -> None:
        """Start the first, which takes its data over, and when it leads the others, its copies."""
        first, *others = self.all
        first.start()
        self._wait(lambda: first if first.leads else None)
        for member in others:
            member.start()
        self.leader()

    def leader(self) -> Member:
        """Return who leads, once all of them agree and each is as it should be."""
        return self._wait(self._safe_leader)

    def leader_besides(self, former: Member) -> Member:
        """Return who takes writes in place of a former leader, as soon as somebody does."""
        others = [member for member in self.all if member is not former]
        return self._wait(
            lambda: next((each for each in others if each.leads and each.takes_writes), None)
        )

    def stop(self) -> None:
        """Stop them all."""
        for member in self.all:
            member.stop()

    def _wait(self, look: Callable[[], Member | None]) -> Member:
        until = time.monotonic() + _SAFE_SECONDS
        while time.monotonic() < until:
            found = look()
            if found is not None:
                return found
            time.sleep(0.1)
        logs = "\n".join(_end_of(member.log) for member in self.all)
        message = f"the cluster is not whole after {_SAFE_SECONDS} s:\n{logs}"
        raise NotReady(message)

    def _safe_leader(self) -> Member | None:
        """Return who leads when every other one is its standby, with the slots of the replica."""
        told = self.all[0].tell()
        roles = sorted(each["role"] for each in told if each["state"] in {"running", "streaming"})
        others = ["replica"] * (len(self.all) - 2)
        if roles != ["leader", *others, "sync_standby"]:
            return None
        leading = next(each["name"] for each in told if each["role"] == "leader")
        leader = next(member for member in self.all if member.name == leading)
        try:
            slots = [_slots_of(member) for member in self.all]
        except psycopg.Error:
            return None
        return leader if all(found == slots[0] for found in slots) else None


def _slots_of(member: Member) -> set[str]:
    with member.connect() as server:
        return {name for (name,) in server.execute(_SLOTS)}


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


@contextmanager
def etcd(folder: Path, *, start: int) -> Iterator[str]:
    """Run etcd and yield where it answers.

    Raises:
        NotReady: it is not installed.
    """
    program = shutil.which("etcd")
    if program is None:
        message = "etcd is not installed: apt-get install etcd-server"
        raise NotReady(message)
    own = first_free(start)
    peers = f"http://{LOOPBACK}:{first_free(own + 1)}"
    words = {
        "data-dir": str(folder / "etcd"),
        "listen-client-urls": f"http://{LOOPBACK}:{own}",
        "advertise-client-urls": f"http://{LOOPBACK}:{own}",
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
    }
    with (folder / "etcd.log").open("wb") as log:
        process = Popen(
            [program, *(f"--{name}={value}" for name, value in words.items())],
            env={**os.environ, "ETCD_UNSUPPORTED_ARCH": os.uname().machine},
            stdout=log,
            stderr=log,
        )
    try:
        yield f"{LOOPBACK}:{own}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def as_members(node: LabNode, *, count: int) -> Iterator[tuple[ClusterNode, Members]]:
    """Make a running node the first of ``count`` members, which wait to be configured and started.

    They are stopped in the end.
    """
    with node.connect() as server:
        server.execute(f"CREATE ROLE {STANDBY} LOGIN REPLICATION PASSWORD '{node.password}'")
    node.cluster.stop()
    shutil.copyfile(DEPLOY / "primary.conf", node.cluster.folder.with_name("primary.conf"))
    environment = {
        **os.environ,
        "PATRONI_SUPERUSER_PASSWORD": node.password,
        "PATRONI_REPLICATION_PASSWORD": node.password,
    }
    start = node.cluster.port + 100
    members = []
    for number in range(count):
        port = first_free(start + 10 * number) if number else node.cluster.port
        name = f"{node.cluster.folder.name}-{number + 1}" if number else node.cluster.folder.name
        cluster = replace(
            node.cluster, folder=node.cluster.folder.with_name(name), port=port, settings={}
        )
        monitor = first_free(start + 10 * number + 5)
        members.append(Member(cluster, monitor=monitor, environment=environment))
    found = ClusterNode(
        alias=node.alias,
        cluster=node.cluster,
        proxy=node.proxy,
        password=node.password,
        ports=tuple(member.cluster.port for member in members),
    )
    with ExitStack() as stack:
        whole = Members(members)
        stack.callback(whole.stop)
        yield found, whole


def refused_stranger(like: Member, *, folder: Path, etcd: str, password: str) -> str:
    """Let a server of another cluster try to join, and return what its Patroni says in the end."""
    cluster = replace(like.cluster, folder=folder / "stranger", port=first_free(like.cluster.port))
    cluster.create(password=password)
    stranger = Member(cluster, monitor=first_free(like.monitor), environment=like.environment)
    printed = like.printed.replace(f"name: {like.name}", "name: stranger")
    stranger.configure(printed, etcd=etcd, settings={})
    process = stranger.start()
    try:
        process.wait(timeout=_SAFE_SECONDS)
    except subprocess.TimeoutExpired:
        return "it was let in"
    finally:
        stranger.stop()
    return _end_of(stranger.log)
