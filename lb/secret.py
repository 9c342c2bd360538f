"""By what a backend knows that a request came through the balancer: a secret that both were given.

Whoever else reaches a backend's port does not know it, and is refused there.
"""

from typing import Final

VARIABLE: Final = "BACKEND_SECRET"
"""The environment variable in which balancer and backends find it."""
HEADER: Final = "X-Backend-Secret"


def field(secret: str | None) -> bytes:
    """Return the line that tells a backend the secret; none without one."""
    return f"{HEADER}: {secret}\r\n".encode("ascii") if secret else b""
