"""What the mail about a log-in says of a person's money."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
import structlog
from django.db import DatabaseError

from core import clock
from core.errors import DomainError
from core.money import Money
from notifications.notices.wording import account_end
from transactions.statements.overview import overview_of

_SILENCE: Final = (DomainError, DatabaseError, psycopg.Error)
_log: Final = structlog.get_logger(__name__)


def summary_of(person: int) -> Mapping[str, Any]:
    """Return what the mail about a log-in tells of a person's money; nothing when nobody knows."""
    try:
        found = overview_of(person, now=clock.now())
    except _SILENCE as error:
        _log.warning("log_in_not_summed_up", error=" ".join(str(error).split()))
        return {}
    lines = [
        {
            "product": line.account.product,
            "number": account_end(line.account.number),
            "balance": line.account.balance,
        }
        for line in found.lines
    ]
    months = [
        {
            "entries": month.entries,
            "coming": month.coming,
            "going": month.going,
            "net": Money(month.coming.minor + month.going.minor, month.coming.currency),
        }
        for month in found.months
    ]
    return {"summary": {"lines": lines, "months": months, "latest": found.latest}}
