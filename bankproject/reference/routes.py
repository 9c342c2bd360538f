"""The page of the API's addresses, made from its OpenAPI."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator

from bankproject.reference.markdown import code, table, written

_PREFIX: Final = "/api/v1/"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
Row = tuple[str, str, str, str, str]


def page() -> str:
    """Return the page."""
    document: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]  # spectacular is
    parts = []
    for name, rows in groupby(_rows(document["paths"]), key=lambda row: row[0]):
        heads = ("Method and address", "What it does", "Roles", "Scope of a key")
        parts += [f"## {name}", table(heads, [row[1:] for row in rows])]
    return written(
        "Addresses of the API",
        "All are below `/api/v1/`; [the API](api.md) says what holds for each of them. What each"
        " takes and answers, with an example, stands in the OpenAPI: `GET /api/v1/openapi.json`,"
        " shown at `/api/v1/docs/` and `/api/v1/redoc/`. **Key** marks those that need an"
        " `Idempotency-Key`, **code** those that may ask for a one-time code. Where no scope"
        " stands, no API key is let in.",
        *parts,
    )


def _rows(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    for address in sorted(paths):
        short = address.removeprefix(_PREFIX)
        for method in _METHODS:
            if method in paths[address]:
                yield short.partition("/")[0], *_row(method, short, paths[address][method])


def _row(method: str, short: str, described: Mapping[str, Any]) -> tuple[str, str, str, str]:
    headers = {one["name"] for one in described.get("parameters", []) if one["in"] == "header"}
    marks = [
        mark
        for header, mark in (("Idempotency-Key", "**key**"), ("Step-Up-Code", "**code**"))
        if header in headers
    ]
    scopes = [name for one in described["security"] for name in one.get("key", ())]
    return (
        code(f"{method.upper()} {short}"),
        " ".join([described["summary"], *marks]),
        ", ".join(described["x-roles"]),
        ", ".join(map(code, scopes)),
    )
