"""The API's OpenAPI as the tests walk through it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator

METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one address."""

    method: str
    address: str
    described: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return what it is called: method and address."""
        return f"{self.method.upper()} {self.address}"

    @property
    def roles(self) -> frozenset[str]:
        """Return who may use it."""
        return frozenset(self.described["x-roles"])

    @property
    def body(self) -> Mapping[str, Any] | None:
        """Return the schema of its body; None when it takes none."""
        content = self.described.get("requestBody", {}).get("content", {})
        return resolved(content["application/json"]["schema"]) if content else None

    @property
    def body_example(self) -> Any:
        """Return its body's example; None when there is none."""
        content = self.described.get("requestBody", {}).get("content", {})
        return example_of(content.get("application/json", {}))

    @property
    def answers(self) -> dict[str, Mapping[str, Any]]:
        """Return the JSON contents of its good answers, by status; empty where there is none."""
        found = self.described["responses"]
        return {
            status: found[status].get("content", {}).get("application/json", {})
            for status in found
            if status.startswith("2")
        }

    def parameters(self, place: str) -> list[Mapping[str, Any]]:
        """Return its parameters in ``path``, ``query`` or ``header``."""
        return [one for one in self.described.get("parameters", []) if one["in"] == place]

    @property
    def is_keyed(self) -> bool:
        """Tell whether it needs an idempotency key."""
        return any(one["name"] == "Idempotency-Key" for one in self.parameters("header"))


@cache
def document() -> dict[str, Any]:
    """Return the whole OpenAPI."""
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]  # spectacular is
    return found


def operations() -> Iterator[Operation]:
    """Go through all operations."""
    for address, methods in document()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield Operation(method=method, address=address, described=methods[method])


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a schema that may be a reference says."""
    if "$ref" not in schema:
        return schema
    found: Any = document()
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def example_of(content: Mapping[str, Any]) -> Any:
    """Return the example of a content; None when there is none."""
    examples = content.get("examples", {})
    return next(iter(examples.values()))["value"] if examples else content.get("example")
