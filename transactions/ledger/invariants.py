"""What must be true of a node's books: every query of ``sql/invariants.sql``, on one snapshot."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from django.db import connections, transaction

from core.db.sql import queries

CHECKS: Final = queries(Path(__file__).parent / "sql" / "invariants.sql")
_COUNTS: Final = """
SELECT (SELECT count(*) FROM ledger.account), (SELECT count(*) FROM ledger.journal)
"""


class _Cursor(Protocol):
    def execute(self, query: Any, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be; ``account`` is None where no single one is at fault."""

    check: str
    account: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksReport:
    """What was looked at on a node, and what was found; up to 100 findings a check."""

    node: str
    accounts: int
    transfers: int
    findings: list[Finding]


def check_books(*, using: str = "default", without: Collection[str] = ()) -> BooksReport:
    """Prove the books of a node, on one snapshot. Opens its own transaction and takes no lock."""
    with transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Sorting all legs is most of the work.
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute(_COUNTS)
        accounts, transfers = cursor.fetchone()
        return BooksReport(
            node=using,
            accounts=accounts,
            transfers=transfers,
            findings=findings(cursor, without=without),
        )


def findings(cursor: _Cursor, *, without: Collection[str] = ()) -> list[Finding]:
    """Run the checks, but for some, in the transaction of ``cursor`` and return what is wrong."""
    found = []
    for check, query in CHECKS.items():
        if check not in without:
            cursor.execute(query)
            found += [Finding(check, account, detail) for account, detail in cursor.fetchall()]
    return found
