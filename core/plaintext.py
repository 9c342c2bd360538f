"""Nothing of the bank's crosses a network unencrypted, unless its operator says so."""

import ipaddress
import sys
from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured


def refuse_plaintext(*, name: str, hosts: Iterable[str], remedy: str, allowed: bool) -> None:
    """Let the unencrypted address in setting ``name`` pass only on this machine.

    When ``allowed``, warn on the terminal instead of refusing.

    Raises:
        ImproperlyConfigured: one of ``hosts`` is beyond this machine.
    """
    beyond = [host for host in hosts if not is_here(host)]
    if not beyond:
        return
    complaint = f"{name} reaches {beyond[0]} without TLS"
    if not allowed:
        message = f"{complaint}; {remedy}, or set ALLOW_PLAINTEXT=1"
        raise ImproperlyConfigured(message)
    sys.stderr.write(f"WARNING: {complaint}; ALLOW_PLAINTEXT=1 lets it pass\n")


def is_here(host: str) -> bool:
    """Tell whether ``host`` is this machine: loopback, a Unix socket's folder, or none at all."""
    if host in {"", "localhost"} or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
