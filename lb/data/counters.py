"""What one process has done, as Prometheus reads it."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lb.data.fleet import BOUNDS, Member
from lb.data.standing import Trust

if TYPE_CHECKING:
    from lb.data.balancer import Balancer

_COUNTED: Final = {
    "admitted": "Requests that were read and allowed",
    "sent": "Requests sent to backends, each try counted",
    "retries": "Requests tried again at another backend",
    "denied": "Requests above their client's limit",
    "broken": "Backend connections that broke while they carried a request",
    "unreached": "Backends that could not be connected to",
    "timeouts": "Answers that took too long",
}


class Counters:
    """Plain counts: each is written by one process, and read by whoever asks it."""

    def __init__(self) -> None:
        self.admitted = 0
        self.sent = 0
        self.retries = 0
        self.denied = 0
        self.broken = 0
        self.unreached = 0
        self.timeouts = 0
        self.answers: Counter[int] = Counter()
        """Answers to clients, by status."""
        self.refused: Counter[int] = Counter()

    def refuse(self, status: int) -> None:
        """Count a message that was not let in."""
        self.refused[status] += 1


def metrics(balancer: "Balancer") -> bytes:
    """Return everything counted, in Prometheus' text form."""
    lines = [
        *_gauge("snapshot_version", "Version that is obeyed", balancer.fleet.version),
        *_gauge("clients", "Connections of clients", len(balancer.clients)),
        *_gauge("panics", "Whether too few backends are well", int(balancer.fleet.panics)),
        *_gauge("draining", "Whether the process ends", int(balancer.draining)),
    ]
    for name, words in _COUNTED.items():
        total = getattr(balancer.counters, name)
        lines += [*_about(f"{name}_total", words, "counter"), f"lb_{name}_total {total}"]
    lines += _by_status("answers_total", "Answers to clients", balancer.counters.answers)
    lines += _by_status("refused_total", "Messages not let in", balancer.counters.refused)
    lines += _by_backend(list(balancer.fleet.members.values()), balancer.now())
    return "\n".join([*lines, ""]).encode()


def _about(name: str, words: str, kind: str) -> list[str]:
    return [f"# HELP lb_{name} {words}.", f"# TYPE lb_{name} {kind}"]


def _gauge(name: str, words: str, value: float) -> list[str]:
    return [*_about(name, words, "gauge"), f"lb_{name} {value}"]


def _by_status(name: str, words: str, counts: Counter[int]) -> list[str]:
    found = [f'lb_{name}{{status="{status}"}} {n}' for status, n in sorted(counts.items())]
    return [*_about(name, words, "counter"), *found]


def _by_backend(members: list[Member], now: float) -> list[str]:
    values: dict[str, tuple[str, Callable[[Member], float]]] = {
        "backend_up": ("Whether its checks say it is well", lambda one: int(one.health.is_up)),
        "backend_trusted": (
            "Whether its answers let it have requests",
            lambda one: int(one.ejection.trust is Trust.TRUSTED),
        ),
        "backend_in_flight": ("Requests that it has", lambda one: one.load.in_flight),
        "backend_idle": ("Connections that wait", lambda one: len(one.idle)),
        "backend_cost": ("What its next request would cost", lambda one: one.load.cost(now)),
        "backend_requests_total": ("Requests sent to it", lambda one: one.requests),
        "backend_failures_total": ("Failed answers", lambda one: one.failures),
        "backend_ejections_total": ("How often it was ejected", lambda one: one.ejections),
    }
    lines = []
    for name, (words, value) in values.items():
        lines += _about(name, words, "counter" if name.endswith("_total") else "gauge")
        lines += [f'lb_{name}{{backend="{one.backend.name}"}} {value(one)}' for one in members]
    lines += _about("backend_seconds", "Seconds to the first byte of an answer", "histogram")
    for member in members:
        lines += _histogram(member)
    return lines


def _histogram(member: Member) -> list[str]:
    name = f'backend="{member.backend.name}"'
    lines, total = [], 0
    for bound, slot in zip((*BOUNDS, "+Inf"), member.slots, strict=True):
        total += slot
        lines.append(f'lb_backend_seconds_bucket{{{name},le="{bound}"}} {total}')
    lines.append(f"lb_backend_seconds_sum{{{name}}} {member.seconds_sum}")
    lines.append(f"lb_backend_seconds_count{{{name}}} {total}")
    return lines
