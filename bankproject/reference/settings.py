"""The page of settings: what the code reads from the environment, and the comment above it."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bankproject.reference.markdown import code, table, written
from bankproject.reference.sources import PROJECT, constant, parsed

_FOLDER: Final = PROJECT / "bankproject"
_PLACES: Final = (
    _FOLDER / "env.py",
    _FOLDER / "runtime" / "__main__.py",
    _FOLDER / "settings" / "base.py",
    _FOLDER / "settings" / "prod.py",
)
_FORMS: Final = {
    "given": "text",
    "optional": "text",
    "text": "text",
    "flag": "`1` or `0`",
    "number": "whole number",
    "needed_number": "whole number",
    "names": "list, by commas",
    "database": "`postgresql://…`",
    "branch_databases": "`CODE=postgresql://…`, by commas",
    "broker": "`redis://…`, `rediss://…`",
    "file": "path",
    "mail": "`smtp+tls://…`",
    "networks": "networks with ports",
    "own_address": "IP address",
    "public_address": "`https://…`",
}


_NEEDED: Final = "must be set in production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable of the environment."""

    name: str
    form: str
    default: str
    meaning: str


def page() -> str:
    """Return the page."""
    rows = [(code(one.name), one.form, one.default, one.meaning) for one in settings().values()]
    return written(
        "Settings",
        "Every setting is a variable of the environment; none has to be set for `make run`, which"
        " starts its own servers. Beside a running bank, commands find its settings by themselves,"
        " in `var/run/nodes.json`. Empty counts as unset. A value that is not understood stops the"
        " start with one line that names the setting. `SECRET_KEY_FILE=/run/secrets/key` takes"
        " `SECRET_KEY` from a file, and so with every other name.",
        "`DJANGO_SETTINGS_MODULE` is `bankproject.settings.prod` where the bank stands behind TLS.",
        table(("Variable", "Form", "Without it", "What it is"), rows),
        "The terminal client's own are in [The bank at your terminal](../howto/terminal.md).",
    )


def settings() -> Mapping[str, Setting]:
    """Return what the bank reads from the environment, by name."""
    found: dict[str, Setting] = {}
    for path in _PLACES:
        for one in _read_in(path):
            known = found.get(one.name)
            found[one.name] = _merged(known, one) if known else one
    return dict(sorted(found.items()))


def _merged(known: Setting, again: Setting) -> Setting:
    """Return a setting that is read in two places, as both say."""
    return Setting(
        name=known.name,
        form=again.form if known.form == "text" else known.form,
        default=f"{known.default}; {_NEEDED}" if again.default == _NEEDED else known.default,
        meaning=known.meaning or again.meaning,
    )


def _read_in(path: Path) -> Iterator[Setting]:
    lines = path.read_text("utf-8").splitlines()
    values = _constants()
    for statement in parsed(path).body:
        for node in ast.walk(statement):
            name = _name_read(node)
            if name is None or not isinstance(node, ast.Call):
                continue
            comment = _comment_above(lines, node.lineno) or _comment_above(lines, statement.lineno)
            yield Setting(
                name=name,
                form=_FORMS[_reader(node)],
                default=_default(node, values),
                meaning=comment,
            )


def _name_read(node: ast.AST) -> str | None:
    """Return the setting that a call reads; None for everything else."""
    if not (isinstance(node, ast.Call) and node.args and _reader(node) in _FORMS):
        return None
    name = constant(node.args[0])
    return name if name and name.isupper() else None


def _reader(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr if ast.unparse(call.func.value) == "env" else ""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _default(call: ast.Call, values: Mapping[str, object]) -> str:
    if _reader(call) == "needed_number":
        return _NEEDED
    given = [*call.args[1:], *(one.value for one in call.keywords if one.arg == "default")]
    if not given:
        return ""
    try:
        value = values.get(ast.unparse(given[0])) or ast.literal_eval(given[0])
    except ValueError:
        return f"that of {code(ast.unparse(given[0]))}"
    return code(str(int(value) if isinstance(value, bool) else value))


@cache
def _constants() -> Mapping[str, object]:
    """Return the constants of the settings and of the runtime, by name."""
    found: dict[str, object] = {}
    for path in sorted(_FOLDER.rglob("*.py")):
        for statement in parsed(path).body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Constant):
                found[ast.unparse(statement.target)] = statement.value.value
    return found


def _comment_above(lines: list[str], number: int) -> str:
    """Return the comment that ends just above a line, on one line."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#"):
            break
        found.append(line.strip().removeprefix("#").strip())
    return " ".join(reversed(found))
