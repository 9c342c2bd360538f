"""One process of the data plane, on sockets that the first process opened."""

import asyncio
import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from lb import secret
from lb.data.allowance import Allowance
from lb.data.balancer import Balancer
from lb.data.client import ClientConnection
from lb.data.monitor import MonitorConnection
from lb.data.source import SnapshotSource
from lb.data.tls import HANDSHAKE_SECONDS, Door
from lb.snapshot import Snapshot

BACKLOG: Final = 1024
TOKEN: Final = "BALANCER_TOKEN"  # noqa: S105  # the variable's name


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the first process tells a worker: descriptors that it inherits, and its snapshots."""

    listening: int
    monitoring: int
    ready: int
    """Written to, and closed, when the worker serves."""
    lifeline: int
    """Ends when the first process does, and then the worker drains."""
    allowances: int
    """Memory of what clients asked, which all workers share."""
    snapshot: str
    kept: str | None
    certificate: str | None = None
    """Where the certificate of TLS and its key are; without it, HTTP is spoken."""

    def written(self) -> str:
        """Return the orders as an argument."""
        return json.dumps(asdict(self))


def main() -> None:
    """Serve until told to stop, or until nobody is there to tell."""
    orders = Orders(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        asyncio.run(_serve(orders))
    else:
        import uvloop

        uvloop.run(_serve(orders))


async def _serve(orders: Orders) -> None:
    loop = asyncio.get_running_loop()
    _take_all_files()
    allowance = Allowance(None, orders.allowances)
    balancer = Balancer(monotonic, allowance, os.environ.pop(secret.VARIABLE, None))
    stop, ready, fast = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def hurry() -> None:
        fast.set()
        stop.set()

    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, hurry)
    loop.add_reader(orders.lifeline, stop.set)

    def obey(snapshot: Snapshot) -> None:
        balancer.rule(snapshot)
        ready.set()

    kept = Path(orders.kept) if orders.kept else None
    source = SnapshotSource(orders.snapshot, kept, os.environ.pop(TOKEN, None))
    door = Door(Path(orders.certificate)) if orders.certificate else None
    tasks = [loop.create_task(balancer.keep_time()), loop.create_task(source.follow(obey))]
    if door is not None:
        tasks.append(loop.create_task(door.keep_fresh()))
    for task in tasks:
        # Without its clock or its snapshots this process is no use: the next one takes over.
        task.add_done_callback(lambda _: stop.set())
    monitor = await loop.create_server(
        lambda: MonitorConnection(balancer), sock=_inherited(orders.monitoring), backlog=BACKLOG
    )
    if await _first(ready, stop):
        server = await loop.create_server(
            lambda: ClientConnection(balancer),
            sock=_inherited(orders.listening),
            backlog=BACKLOG,
            ssl=door.context if door else None,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if door else None,
        )
        _tell(orders.ready)
        await stop.wait()
        server.close()
        monitor.close()
        loop.remove_reader(orders.lifeline)
        await balancer.drain(fast=fast.is_set())
    for task in tasks:
        task.cancel()
    balancer.stop()


async def _first(ready: asyncio.Event, stop: asyncio.Event) -> bool:
    """Wait for the first snapshot; False when the end comes before."""
    waits = [asyncio.ensure_future(one.wait()) for one in (ready, stop)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
    return ready.is_set() and not stop.is_set()


def _take_all_files() -> None:
    """Have as many connections as the machine allows; most programs begin with fewer."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _inherited(descriptor: int) -> socket.socket:
    """Return the socket. Closing it ends nothing: the first process has it too."""
    found = socket.socket(fileno=descriptor)
    found.settimeout(0)
    return found


def _tell(descriptor: int) -> None:
    with suppress(OSError):
        os.write(descriptor, b"1")
    os.close(descriptor)


if __name__ == "__main__":
    main()
