"""What HAProxy is configured with: all that its Runtime API cannot change.

Backends take *slots*, servers that are declared beforehand without an address: HAProxy 2.6 loses
servers that were added at run time when it reloads, and never keeps connections to them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lb import secret
from lb.data.tls import CIPHERS, HSTS
from lb.snapshot import Check, Deadlines, Policy, RateLimit, Snapshot

BACKEND: Final = "bank"
LEAST_SLOTS: Final = 16
MOST_WEIGHT: Final = 256
MEASURED: Final = frozenset({Policy.HYBRID, Policy.PEAK_EWMA})
"""Policies that hold latency against a backend. random(2) compares requests by weight, so weights
that follow latency make it compare requests times latency."""

_BALANCE: Final = {
    Policy.HYBRID: "random(2)",
    Policy.PEAK_EWMA: "random(2)",
    Policy.LEAST_REQUEST: "random(2)",
    Policy.ROUND_ROBIN: "roundrobin",
    Policy.LEAST_CONNECTIONS: "leastconn",
    Policy.RANDOM: "random(1)",
}
# Who calls is what HAProxy saw; what a client says of that is not passed on.
_FORGED: Final = (
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port"),
    *("X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP", secret.HEADER),
)
# A client's own id is kept when it is a UUID, as the bank keeps it; else the request is given one.
_IS_GIVEN: Final = (
    "{ req.fhdr_cnt(X-Request-ID) eq 1 } { req.fhdr(X-Request-ID) -m reg ^[0-9a-f-]{36}$ }"
)
_KNOWN: Final = "var(txn.request_id)"
NAMING: Final = (
    f"  http-request set-header X-Request-ID %[uuid()] unless {_IS_GIVEN}",
    "  http-request set-var(txn.request_id) req.fhdr(X-Request-ID)",
    f"  http-after-response set-header X-Request-ID %[{_KNOWN}] if {{ {_KNOWN} -m found }}",
)
_FORGETTING: Final = tuple(f"  http-request del-header {name}" for name in _FORGED)


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where HAProxy and its driver meet: a folder that nobody else reads."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """Return the file of the configuration."""
        return self.folder / "haproxy.cfg"

    @property
    def commands(self) -> Path:
        """Return the socket of the Runtime API."""
        return self.folder / "admin"

    @property
    def log(self) -> Path:
        """Return the socket that a line is sent to for each answer."""
        return self.folder / "log"

    @property
    def state(self) -> Path:
        """Return the file from which a reloaded HAProxy knows its servers."""
        return self.folder / "state"


def slots_for(backends: int) -> int:
    """Return how many slots to declare: so many that few reloads are needed for more."""
    slots = LEAST_SLOTS
    while slots < 2 * backends:
        slots *= 2
    return slots


def configuration(
    snapshot: Snapshot,
    *,
    listen: tuple[str, int],
    slots: int,
    files: Files,
    certificate: Path | None = None,
    has_secret: bool = False,
) -> str:
    """Return HAProxy's configuration for a snapshot; with a certificate it speaks TLS alone.

    With a secret HAProxy reads it from its environment: the file does not hold it.
    """
    lines = [
        *_global(files),
        *_defaults(snapshot.deadlines),
        "frontend people",
        *_door(listen, certificate),
        f'  log-format "%s %ST %Tr %ts %[{_KNOWN}]"',
        *NAMING,
        "  option forwardfor",
        *_introduction(has_secret=has_secret),
        *_rate_limit(snapshot.rate_limit),
        f"  default_backend {BACKEND}",
        f"backend {BACKEND}",
        f"  balance {_BALANCE[snapshot.policy]}",
        *_check(snapshot.check),
        f"  server-template slot 1-{slots} 127.0.0.1:1 disabled check",
    ]
    return "\n".join([*lines, ""])


def _door(listen: tuple[str, int], certificate: Path | None) -> list[str]:
    host, port = listen
    bind = f"  bind {f'[{host}]' if ':' in host else host}:{port}"
    if certificate is None:
        return [bind, *_FORGETTING, "  http-request set-header X-Forwarded-Proto http"]
    name, _colon, value = HSTS.decode().strip().partition(": ")
    return [
        f"{bind} ssl crt {certificate} alpn http/1.1",
        *_FORGETTING,
        "  http-request set-header X-Forwarded-Proto https",
        f'  http-response set-header {name} "{value}"',
    ]


def _introduction(*, has_secret: bool) -> list[str]:
    line = f'  http-request set-header {secret.HEADER} "${{{secret.VARIABLE}}}"'
    return [line] if has_secret else []


def _global(files: Files) -> list[str]:
    return [
        "global",
        "  maxconn 4096",
        f"  stats socket {files.commands} mode 600 level admin expose-fd listeners",
        f"  server-state-file {files.state}",
        f"  log {files.log} len 256 format raw local0",
        "  hard-stop-after 60s",
        "  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        f"  ssl-default-bind-ciphers {CIPHERS}",
    ]


def _defaults(deadlines: Deadlines) -> list[str]:
    seconds = {
        "http-request": deadlines.header_seconds,
        "client": deadlines.body_seconds,
        "connect": deadlines.connect_seconds,
        "queue": deadlines.connect_seconds,
        "server": deadlines.backend_seconds,
        "http-keep-alive": deadlines.idle_seconds,
        "tunnel": deadlines.tunnel_seconds,
    }
    return [
        "defaults",
        "  mode http",
        "  log global",
        "  option dontlognull",
        # Only what no backend has seen is sent again.
        "  option redispatch 1",
        "  retries 2",
        "  retry-on conn-failure",
        # After a reload a connection ends with its next answer, not while its client sends.
        "  option idle-close-on-response",
        "  load-server-state-from-file global",
        *(f"  timeout {name} {round(value * 1000)}ms" for name, value in seconds.items()),
    ]


def _rate_limit(limit: RateLimit | None) -> list[str]:
    if limit is None:
        return []
    # A window as long as the burst takes at the rate.
    window = max(round(limit.burst / limit.requests_per_second * 1000), 1)
    return [
        f"  stick-table type ipv6 size 100k expire 10m store http_req_rate({window}ms)",
        "  http-request track-sc0 src",
        f"  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {limit.burst} }}",
    ]


def _check(check: Check) -> list[str]:
    every = round(check.interval_seconds * 1000)
    return [
        "  option httpchk",
        f"  http-check send meth GET uri {check.path} ver HTTP/1.1 hdr Host {check.host}",
        "  http-check expect status 200",
        f"  timeout check {round(check.timeout_seconds * 1000)}ms",
        f"  default-server inter {every}ms rise {check.rise} fall {check.fall}",
    ]
