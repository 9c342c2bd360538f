"""From which network address a request comes. Nothing else reads forwarding headers."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest

_HEADER: Final = "HTTP_X_FORWARDED_FOR"
UNKNOWN: Final = "0.0.0.0"  # noqa: S104  # no address to listen on: nobody's


def client_address(request: HttpRequest) -> str:
    """Return the address that the bank's own proxies saw, or that connected to the server.

    Each of the ``TRUSTED_PROXY_COUNT`` proxies adds the address that it saw at the end of
    ``X-Forwarded-For``. What stands before was written by the client and is not looked at; without
    proxies nothing of the header is. Where a proxy added nothing, the address is unknown: the one
    that connected is the proxy's, and would stand for everybody.
    """
    hops = settings.TRUSTED_PROXY_COUNT
    if not hops:
        return _address(request.META.get("REMOTE_ADDR", "").strip()) or UNKNOWN
    seen = [one for one in request.META.get(_HEADER, "").split(",") if one]
    return (_address(seen[-hops].strip()) if len(seen) >= hops else None) or UNKNOWN


@lru_cache(maxsize=4_096)
def _address(text: str) -> str | None:
    """Read an address, with or without a port; an IPv4 address in IPv6 clothes is an IPv4 one."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    host = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
