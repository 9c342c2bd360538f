"""The page of the database's schema: models of the apps, and the tables that SQL makes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db import connection, models

from bankproject.reference.markdown import code, sentence, table, written
from bankproject.reference.sources import APPS, statements_of_sql

_TABLE: Final = re.compile(
    r"((?:^--[^\n]*\n)*)^CREATE TABLE (ledger\.\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL
)
_COLUMN: Final = re.compile(r"^    ([a-z_0-9]+) (.+?),?$", re.MULTILINE)
_ADDED: Final = re.compile(
    r"ALTER TABLE (ledger\.\w+) ADD COLUMN (?:IF NOT EXISTS )?(\w+) ([^;]+);"
)
_COMMENT: Final = re.compile(r"COMMENT ON COLUMN (ledger\.\w+)\.(\w+) IS((?:\s*'[^']*')+)\s*;")
_FUNCTION: Final = re.compile(
    r"((?:^--[^\n]*\n)*)^CREATE (?:OR REPLACE )?FUNCTION ledger\.(\w+)\s*\(", re.MULTILINE
)
_RULES: Final = re.compile(
    r" (?:NOT NULL|DEFAULT|PRIMARY KEY|UNIQUE|CHECK|REFERENCES|GENERATED)\b.*"
)


@dataclass(slots=True, kw_only=True)
class Made:
    """A table that SQL makes: its columns with their types, and what is said of them."""

    meaning: str
    columns: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)


def page() -> str:
    """Return the page."""
    return written(
        "The database's schema",
        "Every node has the schema `ledger`; the head office has the tables of the apps besides."
        " Only the functions write the ledger ([why](../explanation/ledger.md)); `bank_app` may"
        " read it and call them. Money is in minor units, instants are in UTC.",
        "## The ledger's tables",
        *(_of_sql(name, made) for name, made in sorted(made_by_sql().items())),
        "## The ledger's functions",
        "One that is deployed never changes its meaning: `_v2` stands beside `_v1`.",
        table(("Function", "What it does"), sorted(_functions())),
        "## Tables of the apps",
        *(_of_model(model) for model in sorted(_models(), key=lambda one: one._meta.db_table)),
    )


def made_by_sql() -> dict[str, Made]:
    """Return the tables of the ledger, as its SQL makes and changes them."""
    found: dict[str, Made] = {}
    texts = [path.read_text("utf-8") for path in statements_of_sql()]
    for text in texts:
        for comment, name, body in _TABLE.findall(text):
            found[name] = Made(meaning=_uncommented(comment), columns=_columns(body))
    for text in texts:
        for name, column, kind in _ADDED.findall(text):
            found[name].columns.setdefault(column, _kind(kind))
        for name, column, quoted in _COMMENT.findall(text):
            found[name].comments[column] = _unquoted(quoted)
    return found


def _columns(body: str) -> dict[str, str]:
    return {name: _kind(rest) for name, rest in _COLUMN.findall(body)}


def _kind(definition: str) -> str:
    return _RULES.sub("", f" {definition}").strip()


def _unquoted(quoted: str) -> str:
    whole = re.sub(r"'\s+'", "", quoted.strip())
    return whole[1:-1].replace("''", "'")


def _uncommented(comment: str) -> str:
    lines = [line.removeprefix("--").strip() for line in comment.splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("name:"))


def _functions() -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    for path in statements_of_sql():
        for comment, name in _FUNCTION.findall(path.read_text("utf-8")):
            meaning = _uncommented(comment)
            found[name] = meaning or found.get(name, "")
    return ((code(name), meaning) for name, meaning in found.items())


def _of_sql(name: str, made: Made) -> str:
    rows = [
        (code(one), code(kind), made.comments.get(one, "")) for one, kind in made.columns.items()
    ]
    return _section(name, made.meaning, rows)


def _models() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=False):
        home = model.__module__.partition(".")[0]
        if home in APPS and model._meta.managed and not model._meta.proxy:
            yield model


def _of_model(model: type[models.Model]) -> str:
    rows = [
        (code(str(one.column)), code(one.db_type(connection) or ""), _meaning(one))
        for one in model._meta.local_concrete_fields
    ]
    return _section(model._meta.db_table, sentence(model.__doc__ or ""), rows)


def _meaning(column: Any) -> str:
    target = column.related_model
    is_known = isinstance(target, type) and issubclass(target, models.Model)
    parts = [f"→ {code(target._meta.db_table)}"] if is_known else []
    return " ".join([*parts, str(column.db_comment or column.help_text or "")]).strip()


def _section(name: str, meaning: str, rows: Sequence[Sequence[str]]) -> str:
    return f"### {name}\n\n{meaning}\n\n" + table(("Column", "Type", "What it is"), rows)
