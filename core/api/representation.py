"""How values look in answers: what has no value is left out, money and instants are strings."""

from datetime import UTC, datetime
from typing import Any

from core.money import Money


def given(**members: Any) -> dict[str, Any]:
    """Return a JSON object of the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def decimal(money: Money | None) -> str | None:
    """Write an amount in major units, with the currency's decimals."""
    return None if money is None else f"{money.decimal:f}"


def decimal_of(minor: int | None, currency: str) -> str | None:
    """Write an amount that is kept as minor units."""
    return None if minor is None else decimal(Money(minor, currency))


def instant(at: datetime) -> str:
    """Write an instant, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
