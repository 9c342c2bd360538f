"""The balancers that are measured: ours, HAProxy, nginx, each on one core before four servers."""

import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bankproject.runtime.ports import first_free
from lb.snapshot import Backend, Policy, Snapshot, State, write_snapshot

PLACES: Final = 4
_START_SECONDS: Final = 30.0
_HAPROXY: Final = """
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  retries 2
  option redispatch 1
  http-reuse always
  default-server check inter 1s rise 2 fall 2
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  balance {policy}
  option httpchk GET /health
{servers}
"""
_NGINX: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  upstream back {{ {policy}; {servers} keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://back;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


@dataclass
class Proxy:
    """A balancer that runs, and the process that does its work."""

    port: int
    process: psutil.Process
    snapshot: Path | None = None

    def cpu_seconds(self) -> float:
        """Return what it has used up."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass
class Backends:
    """Four backends, and how they do."""

    ports: list[int]

    def do(self, place: int, mode: str) -> None:
        """Tell one how it does from now on."""
        _get(self.ports[place], f"/mode/{mode}")

    def all_do(self, mode: str) -> None:
        """Tell all."""
        for place in range(PLACES):
            self.do(place, mode)


@contextmanager
def backends(folder: Path) -> Iterator[Backends]:
    """Run the backends."""
    ports: list[int] = []
    for _ in range(PLACES):
        ports.append(first_free(ports[-1] + 1 if ports else 34_000))
    command = [sys.executable, "-m", "benchmarks._lb_backends", *map(str, ports)]
    with _running(command, ports[-1], folder / "backends.log"):
        yield Backends(ports)


@contextmanager
def ours(behind: Backends, folder: Path, policy: Policy = Policy.HYBRID) -> Iterator[Proxy]:
    """Run our data plane, of one process."""
    file = folder / "snapshot.json"
    file.write_bytes(write_snapshot(_snapshot(behind, 1, policy)))
    port = first_free(34_100)
    command = [
        *(sys.executable, "-m", "lb.data", "--snapshot", str(file)),
        *("--listen", f"127.0.0.1:{port}", "--monitor", f"127.0.0.1:{first_free(34_200)}"),
    ]
    with _running(command, port, folder / "ours.log") as process:
        (worker,) = process.children()
        yield Proxy(port, _on_one_core(worker), file)


@contextmanager
def haproxy(behind: Backends, folder: Path, policy: str = "leastconn") -> Iterator[Proxy]:
    """Run HAProxy, of one thread."""
    port, file = first_free(34_300), folder / "haproxy.cfg"
    servers = "\n".join(
        f"  server b{place} 127.0.0.1:{one}" for place, one in enumerate(behind.ports)
    )
    file.write_text(_HAPROXY.format(port=port, policy=policy, servers=servers))
    command = [_program("haproxy"), "-db", "-f", str(file)]
    with _running(command, port, folder / "haproxy.log") as process:
        yield Proxy(port, _on_one_core(process))


@contextmanager
def nginx(behind: Backends, folder: Path) -> Iterator[Proxy]:
    """Run nginx, of one process."""
    port, file = first_free(34_400), folder / "nginx.conf"
    servers = " ".join(f"server 127.0.0.1:{one};" for one in behind.ports)
    file.write_text(_NGINX.format(folder=folder, port=port, policy="least_conn", servers=servers))
    command = [_program("nginx"), "-c", str(file), "-e", str(folder / "nginx.log")]
    with _running(command, port, folder / "nginx.out") as process:
        yield Proxy(port, _on_one_core(process))


def leave(proxy: Proxy, behind: Backends, place: int, *, version: int, state: State | None) -> None:
    """Let ours drain a backend, or have it no more."""
    found = _snapshot(behind, version, Policy.HYBRID)
    kept = [
        Backend(name=one.name, host=one.host, port=one.port, state=state or one.state)
        if one.name == f"b{place}"
        else one
        for one in found.backends
        if one.name != f"b{place}" or state is not None
    ]
    if proxy.snapshot is not None:
        proxy.snapshot.write_bytes(write_snapshot(Snapshot(version=version, backends=tuple(kept))))


def missing() -> list[str]:
    """Return which of the programs are not on this machine."""
    return [name for name in ("haproxy", "nginx") if _found(name) is None]


def _snapshot(behind: Backends, version: int, policy: Policy) -> Snapshot:
    found = tuple(
        Backend(name=f"b{place}", host="127.0.0.1", port=port)
        for place, port in enumerate(behind.ports)
    )
    return Snapshot(version=version, backends=found, policy=policy)


def _found(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _program(name: str) -> str:
    return _found(name) or name


def _on_one_core(process: psutil.Process) -> psutil.Process:
    cores = process.cpu_affinity()
    if cores and len(cores) > 1:
        process.cpu_affinity(cores[:1])
    return process


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[psutil.Popen]:
    with log.open("w", encoding="utf-8") as said:
        process = psutil.Popen(command, stdout=said, stderr=said)
    try:
        until = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            with suppress(OSError):
                _get(port, "/health")
                break
            time.sleep(0.1)
        else:
            message = f"{command[0]} does not start: {log.read_text(encoding='utf-8')}"
            raise RuntimeError(message)
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):
            family = [process, *process.children()]
            for one in family:
                one.kill()
            psutil.wait_procs(family)


def _get(port: int, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10):
        pass
