"""Serve pages and API: ``python -m bankproject.serving HOST PORT``, with ``--workers=…``.

The application is read once, and checked, before the workers part from their parent. Each answers
in a few threads, as many at a time as have a database connection of their own.
"""

import argparse
import gc

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

WORKERS = 2
THREADS = 8


def main() -> None:
    """Serve until TERM or INT, then finish what is being answered."""
    parser = argparse.ArgumentParser(prog="python -m bankproject.serving")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--workers", type=int, default=WORKERS)
    told = parser.parse_args()
    # Exits with the reason when the bank cannot be served.
    __import__("bankproject.wsgi")
    # What is loaded stays: workers share it, and the collector has no need to look through it.
    gc.collect()
    gc.freeze()
    Server(
        "bankproject.wsgi:application",
        address=told.host,
        port=told.port,
        interface=Interfaces.WSGI,
        workers=told.workers,
        blocking_threads=THREADS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
