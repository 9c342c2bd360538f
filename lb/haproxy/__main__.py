"""Run HAProxy as the balancer: ``python -m lb.haproxy --snapshot FILE-or-URL``."""

import asyncio
import os
import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from lb import secret
from lb.data.__main__ import address, refuse_bad_certificate
from lb.haproxy.driver import Driver, files_in
from lb.haproxy.runtime import PROGRAM, Haproxy, HaproxyRefusedError
from lb.haproxy.telling import serve_metrics


def main() -> None:
    """Read the command line, and drive HAProxy until SIGTERM."""
    parser = ArgumentParser(prog="python -m lb.haproxy", description="Balance by HAProxy.")
    parser.add_argument(
        "--snapshot", required=True, help="a file, or an http:// address; read each second"
    )
    parser.add_argument("--listen", type=address, default=("127.0.0.1", 8080), metavar="IP:PORT")
    parser.add_argument(
        "--monitor",
        type=address,
        default=("127.0.0.1", 9090),
        metavar="IP:PORT",
        help="/metrics for Prometheus",
    )
    parser.add_argument(
        "--certificate",
        metavar="FILE",
        help="speak TLS with these certificates and their key (PEM); taken anew when it changes",
    )
    parser.add_argument("--haproxy", default=PROGRAM, help="the program")
    given = parser.parse_args()
    if given.certificate:
        refuse_bad_certificate(given.certificate)
    # Short: names of sockets have at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="lb-", dir="/tmp") as folder:
        files = files_in(folder)
        driver = Driver(
            Haproxy(files, given.haproxy),
            files,
            given.listen,
            certificate=Path(given.certificate) if given.certificate else None,
            has_secret=secret.VARIABLE in os.environ,
        )
        sys.exit(asyncio.run(_drive(driver, given.snapshot, given.monitor)))


async def _drive(driver: Driver, location: str, monitor: tuple[str, int]) -> str | None:
    """Return what went wrong, if anything."""
    driving = asyncio.create_task(driver.run(location, os.environ.get("BALANCER_TOKEN")))
    for ending in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ending, driving.cancel)
    wrong: list[str] = []
    try:
        async with await serve_metrics(driver, monitor):
            await driving
    except* (HaproxyRefusedError, OSError) as errors:
        wrong += [str(one) for one in errors.exceptions]
    except* asyncio.CancelledError:
        pass
    return "; ".join(wrong) or None


if __name__ == "__main__":
    main()
