"""Three nodes and their replica, a PostgreSQL server each behind a proxy; what can befall them."""

import secrets
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import psycopg

from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import ROLES, SUPERUSER, Cluster, create_bank, embedded
from tests.faults._proxy import Proxy

HEAD_OFFICE: Final = "default"
BRANCHES: Final = {HEAD_OFFICE: 100, "MUM": 201, "DEL": 202}
DATABASE: Final = "bank"
REPLICA: Final = "replica"
# Small: four servers share a laboratory.
_SETTINGS: Final = {"shared_buffers": "32MB", "max_wal_size": "256MB", "min_wal_size": "64MB"}


@dataclass(frozen=True, kw_only=True)
class LabNode:
    """One node: its server, and the proxy through which the bank knows it."""

    alias: str
    cluster: Cluster
    proxy: Proxy
    password: str

    def url(self, *, role: str = "bank_app") -> str:
        """Return the bank's address of the node: the proxy's."""
        address = f"127.0.0.1:{self.proxy.port}/{DATABASE}"
        return f"postgresql://{role}:{self.password}@{address}"

    def connect(self, *, role: str = SUPERUSER) -> psycopg.Connection:
        """Connect directly, past the proxy, in autocommit."""
        url = self.cluster.url(database=DATABASE, role=role, password=self.password)
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def crash(self) -> None:
        """Stop the server at once: nothing is finished, nobody is told."""
        self.cluster.stop(mode="immediate")

    def pause(self) -> None:
        """Stop every process of the server with SIGSTOP: it lives, and does nothing."""
        server = self._server()
        # The first one first, so that no others come up behind our back.
        server.send_signal(signal.SIGSTOP)
        for process in server.children(recursive=True):
            process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a paused server go on; no error when it is not paused, or does not run."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            server = self._server()
            for process in (*server.children(recursive=True), server):
                process.send_signal(signal.SIGCONT)

    def heal(self) -> None:
        """Undo whatever was done to the server and to its network."""
        self.wake()
        if not self.cluster.is_running:
            self.cluster.start()
        self.proxy.heal()

    def _server(self) -> psutil.Process:
        """Return the server's first process."""
        lines = (self.cluster.folder / "postmaster.pid").read_text().splitlines()
        return psutil.Process(int(lines[0]))


@contextmanager
def running_nodes(
    folder: Path, *, password: str, ports: Mapping[str, int] | None = None
) -> Iterator[dict[str, LabNode]]:
    """Start the nodes and the replica, each empty if it is new, and stop them in the end.

    The ``password`` is everybody's: the owner's must be the same on every node. ``ports`` are those
    of the proxies, by which the nodes know each other; any free ones if they are new.
    """
    start = 26_000 + secrets.randbelow(3_000)
    aliases = (*BRANCHES, REPLICA)
    with ExitStack() as stack, ThreadPoolExecutor(len(aliases)) as pool:
        nodes = {}
        for alias in aliases:
            start = first_free(start + 1)
            cluster = Cluster(
                binaries=embedded(), folder=folder / alias, port=start, settings=_SETTINGS
            )
            proxy = Proxy(server_port=start, port=ports[alias] if ports else 0)
            stack.enter_context(proxy)
            nodes[alias] = LabNode(alias=alias, cluster=cluster, proxy=proxy, password=password)
            stack.callback(cluster.stop, mode="immediate")
            stack.callback(nodes[alias].wake)
        list(pool.map(_start, nodes.values()))
        yield nodes


def _start(node: LabNode) -> None:
    cluster = node.cluster
    if cluster.exists:
        cluster.start()
        return
    cluster.create(password=node.password)
    cluster.start()
    create_bank(
        cluster=cluster,
        superuser_password=node.password,
        database=DATABASE,
        passwords=dict.fromkeys(ROLES, node.password),
        is_replica=node.alias == REPLICA,
    )
