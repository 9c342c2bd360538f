"""Which node of which bank a database is, by its own word."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import connections

from core.db.aliases import HEAD_OFFICE
from core.db.fitness import UnfitNodeError
from core.db.sql import queries
from transactions.branches import registry

QUERIES: Final = queries(Path(__file__).parent / "sql" / "joining.sql")
HEAD_OFFICE_CODE: Final = "HO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """A node of a bank."""

    code: str
    number: int
    bank: UUID


def code_of(alias: str) -> str:
    """Return the code of the branch whose node an alias is."""
    return HEAD_OFFICE_CODE if alias == HEAD_OFFICE else alias


def belonging_of(alias: str) -> Belonging | None:
    """Return which node a migrated database is; None when it has not been named."""
    with connections[alias].cursor() as cursor:
        cursor.execute(QUERIES["this_node"])
        row = cursor.fetchone()
    if row is None:
        return None
    code, number, bank = row
    return Belonging(code=code, number=number, bank=UUID(str(bank)))


def refuse_stranger(alias: str) -> None:
    """Check that the database under a branch's alias is that branch's, of this bank.

    Raises:
        UnfitNodeError: it is not, or the bank has no such branch.
    """
    if alias == HEAD_OFFICE:
        return
    if alias not in registry.nodes():
        message = (
            f"BRANCH_DATABASE_URLS names {alias}, which is no branch of this bank; "
            f"`manage.py add_branch {alias} NAME URL` makes it one"
        )
        raise UnfitNodeError(message)
    found, here = belonging_of(alias), belonging_of(HEAD_OFFICE)
    if found is None or here is None or (found.code, found.bank) != (alias, here.bank):
        whose = describe(found, here)
        message = f"database {alias!r} is not branch {alias}'s: it is {whose}"
        raise UnfitNodeError(message)


def describe(found: Belonging | None, here: Belonging | None) -> str:
    """Say in words which node a database is, seen from the head office ``here``."""
    if found is None:
        return "nobody's ledger yet"
    if here is None or found.bank != here.bank:
        return f"the ledger of {found.code} of another bank"
    if found.code == HEAD_OFFICE_CODE:
        return "the head office's ledger"
    return f"the ledger of branch {found.code}"
