"""What requests and events of accounts say, fact by fact, as people read it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from core.money import CURRENCIES, Money

_BEFORE: Final = "_before"
_LIMIT: Final = "_limit"
_MINOR: Final = frozenset({"monthly_fee", "interest"})
_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "account": ("account", int),
    "payee": ("account", int),
    "user_id": ("user_id", int),
    "transfer_id": ("transfer", UUID),
}
# For programs alone, or told beside the facts.
_NOT_TOLD: Final = frozenset({"key", "approval", "person", "reason", "purpose", "opened_at"})
# What is no fact when it is missing.
_MAY_LACK: Final = frozenset({"external_reference", "interest", "name", "rights"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact: its name, its value now, and the one before, if that is known.

    ``kind`` says how the value is written: text, money, account, user_id or transfer. A value that
    is None stands for no bound, or nothing.
    """

    name: str
    value: Any
    kind: str = "text"
    before: Any = None
    is_change: bool = False


def facts_of(
    details: Mapping[str, Any], *, currency: str | None, names: Mapping[int, str]
) -> list[Fact]:
    """Return the facts of an event or a request about an account in a ``currency``.

    ``names`` are those of people, by their keys.
    """
    known = dict(_flat(details))
    currency = known.get("currency") or currency
    return [
        _fact(name, value, known, currency, names)
        for name, value in known.items()
        if _is_told(name, value, known)
    ]


def people_in(details: Mapping[str, Any]) -> set[int]:
    """Return the keys of the people whom an event names."""
    named = details.get("user")
    return {named} if isinstance(named, int) else set()


def _flat(details: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in details.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, value


def _is_told(name: str, value: Any, known: Mapping[str, Any]) -> bool:
    if name in _NOT_TOLD or name.endswith(_BEFORE):
        return False
    if not value and name in _MAY_LACK:
        return False
    before = f"{name}{_BEFORE}"
    return before not in known or known[before] != value


def _fact(
    name: str,
    value: Any,
    known: Mapping[str, Any],
    currency: str | None,
    names: Mapping[int, str],
) -> Fact:
    if name == "user":
        return Fact(name=name, value=names.get(value, value))
    if name == "rate_ppm":
        return Fact(name="rate", value=f"{Decimal(value).scaleb(-4).normalize():f} %")
    if name in _KINDS:
        kind, read = _KINDS[name]
        return Fact(name=name, value=read(value), kind=kind)
    if (name.endswith(_LIMIT) or name in _MINOR) and currency in CURRENCIES:
        before = f"{name}{_BEFORE}"
        return Fact(
            name=name,
            value=_money(value, str(currency)),
            kind="money",
            before=_money(known.get(before), str(currency)),
            is_change=before in known,
        )
    return Fact(name=name, value=value)


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)
