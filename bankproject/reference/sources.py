"""The bank's own sources, as the reference reads them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2]
APPS: Final = ("core", "accounts", "transactions", "loans", "notifications", "lb", "portals")


@cache
def parsed(path: Path) -> ast.Module:
    """Return a module's syntax."""
    return ast.parse(path.read_text("utf-8"))


def modules() -> Iterator[Path]:
    """Go through the modules of all apps, but for migrations."""
    for app in APPS:
        for path in sorted((PROJECT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def statements_of_sql() -> Iterator[Path]:
    """Go through the files of the ledger's SQL, and of other tables that SQL makes."""
    for app in APPS:
        yield from sorted((PROJECT / app).rglob("*.sql"))


def constant(node: ast.expr | None) -> str | None:
    """Return a text that stands in the code as it is, or to be translated; None for others."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        return constant(node.args[0])
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None
