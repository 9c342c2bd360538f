"""What is measured of each backend, as Prometheus reads it; by the names of the embedded plane."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from lb.data.fleet import BOUNDS
from lb.data.standing import Trust
from lb.haproxy.driver import Driver
from lb.haproxy.runtime import HaproxyRefusedError
from lb.haproxy.slots import Place

_PATIENCE_SECONDS: Final = 5.0
_VALUES: Final[dict[str, Callable[[Place], int]]] = {
    "backend_trusted": lambda one: int(one.ejection.trust is Trust.TRUSTED),
    "backend_weight": lambda one: round(one.weight),
    "backend_requests_total": lambda one: one.requests,
    "backend_failures_total": lambda one: one.failures,
    "backend_ejections_total": lambda one: one.ejections,
}


async def serve_metrics(driver: Driver, listen: tuple[str, int]) -> asyncio.Server:
    """Answer whoever asks for /metrics."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                known = head.startswith(b"GET /metrics ")
                body = await _metrics(driver) if known else b""
                status = b"200 OK" if known else b"404 Not Found"
                writer.write(b"HTTP/1.1 %b\r\nConnection: close\r\n" % status)
                writer.write(b"Content-Type: text/plain; version=0.0.4\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, *listen)


async def _metrics(driver: Driver) -> bytes:
    places = driver.slots.places
    in_flight: dict[int, int] = {}
    with suppress(OSError, HaproxyRefusedError):
        in_flight = await driver.haproxy.in_flight()
    lines = [f"lb_snapshot_version {driver.obeyed}"]
    for number, one in places.items():
        label = f'{{backend="{one.backend.name}"}}'
        held = in_flight.get(number, 0)
        lines.append(f"lb_backend_in_flight{label} {held}")
        lines.append(f"lb_backend_cost{label} {(held + 1) / max(one.weight, 1.0)}")
        lines += [f"lb_{name}{label} {value(one)}" for name, value in _VALUES.items()]
        lines += _histogram(one)
    return "\n".join([*lines, ""]).encode()


def _histogram(place: Place) -> list[str]:
    name, total, lines = f'backend="{place.backend.name}"', 0, []
    for bound, answers in zip((*BOUNDS, "+Inf"), place.seconds, strict=True):
        total += answers
        lines.append(f'lb_backend_seconds_bucket{{{name},le="{bound}"}} {total}')
    return [*lines, f"lb_backend_seconds_count{{{name}}} {total}"]
