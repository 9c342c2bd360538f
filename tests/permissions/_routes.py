"""Every address of the bank, as the resolver knows them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
# Ids of nothing there is.
_UNKNOWN: Final = {"uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "int": "999999999"}


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address: its name, with namespaces; its address with parameters as ``<name>``."""

    name: str
    address: str
    view: Any

    @property
    def parameters(self) -> list[str]:
        """Return the names of what stands in the address."""
        return [name for _kind, name in _PARAMETER.findall(self.address)]

    def filled(self, values: dict[str, str]) -> str:
        """Return the address with values in the place of its parameters."""
        return _PARAMETER.sub(
            lambda found: values.get(found[2]) or _UNKNOWN.get(found[1], "1"), self.address
        )


def every_route() -> list[Route]:
    """Return all routes, those under a namespace included."""
    return list(_routes(get_resolver(), "/", ""))


def _routes(resolver: URLResolver, prefix: str, space: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        address = prefix + simplify_regex(str(pattern.pattern)).removeprefix("/")
        if isinstance(pattern, URLPattern):
            name = f"{space}{pattern.name}" if pattern.name else address
            yield Route(name=name, address=address, view=pattern.callback)
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _routes(pattern, address, inner)
