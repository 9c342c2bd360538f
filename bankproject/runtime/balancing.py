"""The load balancer of a bank on this machine: web workers, and the data plane before them."""

import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bankproject import env
from bankproject.runtime import ports
from bankproject.runtime.backend import NAME
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home, write_private
from lb.secret import VARIABLE
from lb.snapshot import Backend, Check, Snapshot, write_snapshot

EMBEDDED: Final = "embedded"
NONE: Final = "none"
PLANES: Final = {EMBEDDED: "lb.data", "haproxy": "lb.haproxy"}
"""Modules of the data planes, by what LB calls them."""


@dataclass(frozen=True, kw_only=True)
class Balancing:
    """Which data plane people reach, where the web workers are, and what all of them are told.

    ``secret`` is what the data plane shows the workers, made anew at each start.
    """

    plane: str
    workers: tuple[int, ...]
    monitor: int
    snapshot: Path
    secret: str = field(repr=False)

    @property
    def bound(self) -> list[str]:
        """Return where the web workers listen, each at its own place."""
        return [f"{ports.LOOPBACK}:{port}" for port in self.workers]

    @property
    def settings(self) -> Mapping[str, str]:
        """Return what every process of the bank is told."""
        return {
            "BACKEND_NETWORKS": ",".join(self.bound),
            "BALANCER_METRICS": f"http://{ports.LOOPBACK}:{self.monitor}/metrics",
            "TRUSTED_PROXY_COUNT": "1",
        }

    @property
    def shared(self) -> Mapping[str, str]:
        """Return what only the web workers and the data plane are told."""
        return {VARIABLE: self.secret, "BALANCER_SNAPSHOT": str(self.snapshot)}

    def command(self, bound: str) -> list[str]:
        """Return the command of the data plane that listens where people come."""
        return [
            *(sys.executable, "-m", PLANES[self.plane]),
            f"--snapshot={self.snapshot}",
            f"--listen={bound}",
            f"--monitor={ports.LOOPBACK}:{self.monitor}",
        ]

    def write_first_snapshot(self, public_url: str) -> None:
        """Name the web workers to the data plane before they have registered themselves.

        The registry's first change makes version 2.
        """
        backends = [
            Backend(name=NAME.format(number), host=ports.LOOPBACK, port=port)
            for number, port in enumerate(self.workers, start=1)
        ]
        check = Check(host=urlsplit(public_url).netloc)
        first = Snapshot(version=1, backends=tuple(backends), check=check)
        write_private(self.snapshot, write_snapshot(first).decode())


def balancing_of(home: Home, *, workers: int, is_alone: bool) -> Balancing | None:
    """Return the balancer that LB asks for; None when people reach the web workers directly.

    Unless it is asked for, there is one in a bank with servers of its own (``is_alone``) and
    without proxies before it: banks that share servers share the registry of backends, too.

    Raises:
        StartError: LB is none that there is, or cannot be here.
    """
    is_behind_others = (env.given("TRUSTED_PROXY_COUNT") or "0") != "0"
    plane = env.given("LB") or (EMBEDDED if is_alone and not is_behind_others else NONE)
    if plane == NONE:
        return None
    _refuse_impossible(plane, is_behind_others=is_behind_others)
    found: list[int] = []
    for offset in range(workers + 1):
        found.append(ports.first_free(home.preferred_port(12 + offset), besides=found))
    return Balancing(
        plane=plane,
        workers=tuple(found[:workers]),
        monitor=found[workers],
        snapshot=home.run / "balancer.json",
        secret=secrets.token_hex(32),
    )


def _refuse_impossible(plane: str, *, is_behind_others: bool) -> None:
    if plane not in PLANES:
        message = f"LB must be {', '.join(PLANES)} or {NONE}, not {plane!r}"
        raise StartError(message)
    if plane == "haproxy" and shutil.which("haproxy") is None:
        message = "LB=haproxy needs the program haproxy, as Debian's package of that name has it"
        raise StartError(message)
    if is_behind_others:
        message = f"LB={plane} and TRUSTED_PROXY_COUNT do not go together: it must be the first"
        raise StartError(message)
