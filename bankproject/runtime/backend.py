"""gunicorn's hooks for web workers behind the bank's balancer.

gunicorn reads the application once and forks its workers. Each gets a port of its own, which is its
place in the registry of backends; there it registers itself, beats, and drains before it ends.
"""

import signal
import threading
from collections import Counter
from types import FrameType
from typing import Any, Final

NAME: Final = "web-{}"


def pre_fork(server: Any, worker: Any) -> None:
    """Give a worker the port that fewest have: that of the one whose place it takes."""
    taken = Counter(one.place for one in server.WORKERS.values())
    worker.place = min(range(len(server.LISTENERS)), key=lambda place: taken[place])


def post_fork(server: Any, worker: Any) -> None:
    """Listen at that port alone."""
    worker.sockets = [server.LISTENERS[worker.place]]


def post_worker_init(worker: Any) -> None:
    """Be in the registry from now on, until SIGTERM, and look after all that are."""
    from bankproject import env
    from core.clock import now
    from lb.control.joining import Membership
    from lb.control.rounds import Rounds

    host, port = worker.sockets[0].getsockname()[:2]
    membership = Membership(name=NAME.format(worker.place + 1), host=host, port=port)
    rounds = Rounds(env.file("BALANCER_SNAPSHOT"))
    _aside(membership.keep, now)
    _aside(rounds.go_on, threading.Event())

    def end(number: int, frame: FrameType | None) -> None:
        try:
            membership.end(now)
        finally:
            worker.handle_exit(number, frame)

    _once_at_sigterm(end)


def _once_at_sigterm(end: Any) -> None:
    """Call ``end`` aside at the first SIGTERM: requests are answered meanwhile."""
    ending = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if not ending.is_set():
            ending.set()
            _aside(end, number, frame)

    signal.signal(signal.SIGTERM, on_signal)
    # As gunicorn has it: what waits for the network goes on waiting.
    signal.siginterrupt(signal.SIGTERM, False)  # noqa: FBT003  # positional alone


def _aside(work: Any, *given: Any) -> None:
    threading.Thread(target=work, args=given, daemon=True).start()
