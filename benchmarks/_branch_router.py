"""What choosing between the replica and the primaries costs a request. Prints JSON, in µs.

Medians of what the middleware adds to a view that asks from where to read: with a token that the
replica has reached, and after a write, when the nodes are asked where their logs end.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Final

import django

django.setup()

from django.http import HttpRequest, HttpResponse  # noqa: E402  # needs Django set up
from django.test import RequestFactory  # noqa: E402  # as above

from core.db.aliases import REPLICA  # noqa: E402  # as above
from core.db.reading import note_used, source  # noqa: E402  # as above
from core.read_routing import HEADER, ReadRoutingMiddleware  # noqa: E402  # as above

REQUESTS: Final = 1_000
_WARM_SECONDS: Final = 15.0
_sources: list[str | None] = []


def main() -> None:
    """Measure a read and a write."""
    request = RequestFactory()
    routed = ReadRoutingMiddleware(_view)
    write = request.post("/")
    token = routed(write)[HEADER]
    read = request.get("/", headers={HEADER: token})
    _wait_for_replica(routed, read)
    _sources.clear()
    reading = _median_us(routed, read) - _median_us(_view, read)
    if set(_sources[:REQUESTS]) != {REPLICA}:
        message = "the replica was not read all the time"
        raise SystemExit(message)
    writing = _median_us(routed, write) - _median_us(_view, write)
    print(json.dumps({"read_us": reading, "write_us": writing}))


def _view(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        note_used("MUM", "DEL")
    else:
        _sources.append(source())
    return HttpResponse()


def _wait_for_replica(routed: Callable[[HttpRequest], HttpResponse], read: HttpRequest) -> None:
    deadline = time.monotonic() + _WARM_SECONDS
    while time.monotonic() < deadline:
        routed(read)
        if _sources[-1] == REPLICA:
            return
        time.sleep(0.1)


def _median_us(call: Callable[[HttpRequest], HttpResponse], request: HttpRequest) -> float:
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        call(request)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


if __name__ == "__main__":
    main()
