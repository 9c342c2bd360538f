"""Finding customers by what somebody says of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connections
from django.db.models.functions import Lower

from accounts.models import Role, User
from core.db.sql import queries

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "queries.sql")
# Fewer would find half the bank.
LEAST_DIGITS: Final = 4
_NOT_DIGITS: Final = re.compile(r"[\s().+/-]+")
_FIRST: Final = ("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """Customers by name; ``onward`` is after whom the next page begins."""

    people: Sequence[User]
    onward: tuple[str, int] | None


def people_found(
    text: str, *, after: tuple[str, int] | None, limit: int, using: str = "default"
) -> PeoplePage:
    """Return up to ``limit`` customers by name, those ``after`` a name and a key.

    ``text`` is the beginnings of words of the name, the beginning of the e-mail address, or the end
    of the telephone number.
    """
    after_name, after_pk = after or _FIRST
    is_address = "@" in text
    asked = {
        "words": None if is_address else text,
        "email": f"{_literally(text.lower())}%" if is_address else None,
        "phone": _turned_end(text),
        "after_name": after_name,
        "after": after_pk,
        "limit": limit + 1,
    }
    with connections[using].cursor() as cursor:
        cursor.execute(_QUERIES["people_found"], asked)
        keys = [pk for (pk,) in cursor.fetchall()]
    known = User.objects.using(using).select_related("branch").in_bulk(keys[:limit])
    people = [known[pk] for pk in keys[:limit] if pk in known]
    is_more = len(keys) > limit and people
    return PeoplePage(
        people=people, onward=(people[-1].full_name, people[-1].pk) if is_more else None
    )


def person_with_email(address: str, *, using: str = "default") -> User | None:
    """Return the customer who has an e-mail address, however it is written."""
    known = User.objects.using(using).annotate(lower=Lower("email"))
    return known.filter(lower=address.lower(), role=Role.CUSTOMER).first()


def digits_of(text: str) -> str:
    """Return the digits of a text that is a number as people write it; else nothing."""
    digits = _NOT_DIGITS.sub("", text)
    return digits if digits.isascii() and digits.isdigit() else ""


def _turned_end(text: str) -> str | None:
    """Return the pattern of a telephone number by its end, from the last digit on."""
    digits = digits_of(text).lstrip("0")
    return f"{digits[::-1]}%" if len(digits) >= LEAST_DIGITS else None


def _literally(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
