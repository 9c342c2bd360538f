"""Which addresses a backend may have: those that the bank's owner allows, and no others.

A backend is given what people send the bank, passwords too, and calls to it come from within the
bank's network. So its address is looked at when it is registered, and again whenever somebody is
about to connect. It is an IP address: what a name stands for might change in between.
"""

from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.outgoing import may_be_called

LAST_PORT: Final = 65_535


class BackendAddressRefused(DomainError):
    """No backend may have this address; ``code`` says why."""

    code = "backend_address_refused"


def check_backend_address(host: str, port: int) -> str:
    """Return the host of a backend's address as the bank writes it.

    Raises:
        BackendAddressRefused: it is no IP address, or none that BACKEND_NETWORKS allows.
    """
    try:
        address = ip_address(host)
    except ValueError:
        message = _("A backend's host is an IP address.")
        raise BackendAddressRefused(message, field="host", code="not_an_ip_address") from None
    if not is_allowed(str(address), port):
        message = _("BACKEND_NETWORKS does not allow a backend at this address and port.")
        raise BackendAddressRefused(message, field="host")
    return str(address)


def is_allowed(host: str, port: int) -> bool:
    """Tell whether a backend may be at an IP address and port, now.

    Addresses that no server has of its own, such as link-local ones, never pass.
    """
    address = ip_address(host)
    return may_be_called(host, private=True) and any(
        address in network and port in ports for network, ports in settings.BACKEND_NETWORKS
    )
