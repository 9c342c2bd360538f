"""What the data planes measure of each backend, read from where they tell it to Prometheus."""

import http.client
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

_SECONDS: Final = 1.0
_MOST_BYTES: Final = 4 * 2**20
_SAMPLE: Final = re.compile(
    r'lb_(?P<name>\w+)\{backend="(?P<backend>[^"]+)"(,le="(?P<le>[^"]+)")?\} (?P<value>\S+)',
    re.ASCII,
)
_VERSION: Final = re.compile(r"^lb_snapshot_version (\d+)$", re.ASCII | re.MULTILINE)
_PARTS: Final = {
    "backend_in_flight": "in_flight",
    "backend_seconds_count": "requests",
    "backend_failures_total": "failures",
    "backend_ejections_total": "ejections",
}
_COST: Final = "backend_cost"
_BUCKET: Final = "backend_seconds_bucket"


@dataclass(kw_only=True)
class Figures:
    """What the data planes measured of one backend since they began, all their processes together.

    ``buckets`` counts answers by the seconds that they took at most, each with those before.
    ``cost`` is what its next request would cost, by which the data planes compare backends.
    """

    in_flight: int = 0
    requests: int = 0
    failures: int = 0
    ejections: int = 0
    cost: float = 0.0
    buckets: dict[float, int] = field(default_factory=lambda: defaultdict(int))

    def milliseconds(self, part: float) -> float | None:
        """Return how long this part of the answers took at most; None without any."""
        for bound, count in sorted(self.buckets.items()):
            if self.requests and count >= part * self.requests:
                return bound * 1000 if bound != float("inf") else None
        return None


def figures_by_backend() -> dict[str, Figures]:
    """Return what is measured now, by backends' names. A process that is silent adds nothing."""
    if not settings.BALANCER_METRICS:
        return {}
    with ThreadPoolExecutor(max_workers=8) as several:
        return added_up(several.map(_text_of, settings.BALANCER_METRICS))


def versions_obeyed() -> list[int]:
    """Return the version of the snapshot that each process of the data planes obeys.

    One that is silent is not there.
    """
    texts = map(_text_of, settings.BALANCER_METRICS)
    return [int(found[1]) for one in texts if (found := _VERSION.search(one))]


def added_up(texts: Iterable[str]) -> dict[str, Figures]:
    """Return the figures in what several processes tell."""
    found: dict[str, Figures] = defaultdict(Figures)
    for text in texts:
        for sample in _SAMPLE.finditer(text):
            _add(found[sample["backend"]], sample.groupdict())
    return dict(found)


def _add(figures: Figures, sample: Mapping[str, str | None]) -> None:
    name, value = str(sample["name"]), float(str(sample["value"]))
    if name == _BUCKET and sample["le"]:
        figures.buckets[float(sample["le"])] += round(value)
    elif name == _COST:
        figures.cost += value
    elif name in _PARTS:
        setattr(figures, _PARTS[name], getattr(figures, _PARTS[name]) + round(value))


def _text_of(address: str) -> str:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().read(_MOST_BYTES).decode("ascii", errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
