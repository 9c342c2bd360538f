"""Whether a port on this machine is free."""

import errno
import os
import socket
from collections.abc import Collection
from typing import Final

from bankproject.runtime.errors import StartError

LOOPBACK: Final = "127.0.0.1"
LAST_PORT: Final = 65_535


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on ``port`` of ``host``."""
    return _refusal(port, host) == 0


def refuse_taken(port: int, host: str = LOOPBACK) -> None:
    """Check that people's ``port`` of ``host`` can be served.

    Raises:
        StartError: it cannot, with the reason.
    """
    if not 0 < port <= LAST_PORT:
        message = f"PORT={port} is no port; choose 1 to {LAST_PORT}, as in `make run PORT=8001`"
        raise StartError(message)
    refusal = _refusal(port, host)
    if refusal == errno.EADDRNOTAVAIL:
        message = f"HOST={host} is no address of this machine"
        raise StartError(message)
    if refusal == errno.EADDRINUSE:
        message = f"port {port} is taken; choose another, as in `make run PORT={port + 1}`"
        raise StartError(message)
    if refusal:
        message = f"port {port} cannot be used: {os.strerror(refusal)}"
        raise StartError(message)


def first_free(start: int, *, host: str = LOOPBACK, besides: Collection[int] = ()) -> int:
    """Return the first free port from ``start`` on, that is not one of ``besides``.

    Raises:
        StartError: none of the next hundred is free.
    """
    for port in range(start, start + 100):
        if port not in besides and is_free(port, host):
            return port
    message = f"no free port from {start} to {start + 99}"
    raise StartError(message)


def _refusal(port: int, host: str) -> int:
    """Return the error number of listening on ``port`` of ``host``; 0 when it would work."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        # As servers do: a connection that still fades away is no obstacle.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            return error.errno or errno.EIO
    return 0
