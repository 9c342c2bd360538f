"""The page of problem codes, read from where refusals are raised."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bankproject.reference.markdown import code, sentence, table, written
from bankproject.reference.sources import PROJECT, constant, modules, parsed

_ROOT: Final = "DomainError"
_LEDGER: Final = PROJECT / "transactions" / "ledger" / "codes.py"
_FIELD_ERRORS: Final = frozenset({"ValidationError", "ParseError", "ErrorDetail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A class of refusals, as it stands in the code."""

    bases: tuple[str, ...]
    code: str | None
    status: int | None
    meaning: str


def page() -> str:
    """Return the page."""
    known = _refusals()
    heads = ("Code", "What it means")
    return written(
        "Problem codes",
        "What a refusal's `code` may be ([what a problem looks like](api.md#problems)). Codes do"
        " not change; new ones are added.",
        "## Refusals",
        table(("Code", "Status", "What it means"), _rows(known)),
        "## Of the ledger",
        "Why money did not move, or an account did not change. 404 where the thing does not exist,"
        " else 422.",
        table(heads, _of_the_ledger()),
        "## Of fields and bodies",
        "They stand in `errors`, beside the field at fault, and are the `code` of a refusal with a"
        " single one.",
        table(heads, sorted(_of_fields(known))),
    )


def _of_the_ledger() -> Iterator[tuple[str, str]]:
    """Go through the ledger's own codes, each with its words."""
    for statement in parsed(_LEDGER).body:
        match statement:
            case ast.AnnAssign(
                target=ast.Name(id="_WORDS"), value=ast.Dict(keys=keys, values=said)
            ):
                for key, words in zip(keys, said, strict=True):
                    name = ast.unparse(key).rpartition(".")[2] if key else ""
                    yield code(name.lower()), constant(words) or ""


def _refusals() -> Mapping[str, Refusal]:
    """Return the classes that are refusals, by name."""
    every: dict[str, Refusal] = {}
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                every[node.name] = _read(node)
    return {name: one for name, one in every.items() if name == _ROOT or _is_below(name, every)}


def _read(node: ast.ClassDef) -> Refusal:
    values: dict[str, object] = {}
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                values[name] = value
    found, status = values.get("code"), values.get("http_status")
    return Refusal(
        bases=tuple(ast.unparse(base).rpartition(".")[2] for base in node.bases),
        code=found if isinstance(found, str) else None,
        status=status if isinstance(status, int) else None,
        meaning=sentence(ast.get_docstring(node) or ""),
    )


def _is_below(name: str, every: Mapping[str, Refusal]) -> bool:
    bases = every[name].bases if name in every else ()
    return any(base == _ROOT or (base != name and _is_below(base, every)) for base in bases)


def _rows(known: Mapping[str, Refusal]) -> list[tuple[str, str, str]]:
    """Return each code that a class stands for, once."""
    found = {
        one.code: (code(one.code), str(_status(one, known)), one.meaning)
        for _name, one in sorted(known.items(), reverse=True)
        if one.code and one.meaning
    }
    return [found[name] for name in sorted(found)]


def _status(one: Refusal, known: Mapping[str, Refusal]) -> int | None:
    if one.status is not None:
        return one.status
    return next((_status(known[base], known) for base in one.bases if base in known), None)


def _of_fields(known: Mapping[str, Refusal]) -> Iterator[tuple[str, str]]:
    """Go through the codes that are named where something is refused, each with its words."""
    refusing = {*known, *_FIELD_ERRORS}
    found: dict[str, str] = {}
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and _called(node) in refusing:
                for one in node.keywords:
                    name = constant(one.value) if one.arg == "code" else None
                    if name:
                        found.setdefault(name, _words(node, parsed(path)))
    return ((code(name), words) for name, words in found.items())


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _words(call: ast.Call, module: ast.Module) -> str:
    """Return what a refusal says; nothing where it is put together."""
    given = _form(call.args[0]) if call.args else None
    if isinstance(given, ast.Name):
        above = [
            node.value
            for node in ast.walk(module)
            if isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == given.id
            and node.lineno < call.lineno
        ]
        given = _form(max(above, key=lambda value: value.lineno)) if above else None
    if isinstance(given, ast.JoinedStr):
        return "".join(constant(part) or "…" for part in given.values)
    return constant(given) or ""


def _form(words: ast.expr) -> ast.expr:
    """Return a text with places, where it is filled in."""
    return words.left if isinstance(words, ast.BinOp) else words
