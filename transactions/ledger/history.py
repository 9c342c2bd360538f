"""Reading customers' histories: pages towards now, the newest, and what entries add up to."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from transactions.ledger.connection import fetch_all, fetch_as
from transactions.ledger.reads import Entry, EntryFilter, conditions_of


class EntryTotals(NamedTuple):
    """What wanted entries add up to; the last entry before their range, and the last one in it.

    ``opening`` and ``closing`` are the balances after those two, None where there is none.
    """

    entries_in: int
    amount_in: int
    entries_out: int
    amount_out: int
    opening_id: UUID | None
    opening: int | None
    closing_id: UUID | None
    closing: int | None


class DayOfAccount(NamedTuple):
    """What came into an account and went out of it on one day."""

    account: int
    day: date
    coming: int
    going: int
    entries: int


class MonthOfAccount(NamedTuple):
    """What came into an account or went out of it in one month, for one thing."""

    account: int
    month: date
    kind: str
    coming: int
    going: int
    entries: int


def entries_after(
    account: int,
    *,
    after: UUID,
    before: UUID,
    limit: int,
    wanted: EntryFilter,
    using: str = "default",
) -> list[Entry]:
    """Return up to ``limit`` entries of an account between two, oldest first."""
    parameters = {
        "account": account,
        "after": after,
        "before": before,
        "limit": limit,
        **conditions_of(wanted),
    }
    return fetch_as(Entry, "entries_after", parameters, using)


def entry_totals(
    account: int, *, before: UUID, wanted: EntryFilter, using: str = "default"
) -> EntryTotals:
    """Return what the wanted entries of an account add up to, of those older than ``before``."""
    parameters = {"account": account, "before": before, **conditions_of(wanted)}
    (found,) = fetch_as(EntryTotals, "entry_totals", parameters, using)
    return found


def days_of(
    accounts: Collection[int], *, since: datetime, zone: str, using: str = "default"
) -> list[DayOfAccount]:
    """Return the days on which accounts moved since an instant, as a time zone counts them."""
    parameters = {"accounts": list(accounts), "since": since, "zone": zone}
    return fetch_as(DayOfAccount, "days_of", parameters, using)


def months_of(
    accounts: Collection[int], *, since: datetime, zone: str, using: str = "default"
) -> list[MonthOfAccount]:
    """Return the months in which accounts moved since an instant; ``own``: among themselves."""
    parameters = {"accounts": list(accounts), "since": since, "zone": zone}
    return fetch_as(MonthOfAccount, "months_of", parameters, using)


def legs_of(
    accounts: Collection[int],
    *,
    ids: Collection[UUID],
    since: datetime,
    zone: str,
    using: str = "default",
) -> list[tuple[UUID, MonthOfAccount]]:
    """Return what some transfers did to accounts since an instant, each as a month of its own."""
    parameters = {"accounts": list(accounts), "ids": list(ids), "since": since, "zone": zone}
    rows = fetch_all("legs_of", parameters, using)
    return [(row.id, MonthOfAccount._make(row[1:])) for row in rows]


def latest_of(
    accounts: Collection[int], *, limit: int, using: str = "default"
) -> list[tuple[int, Entry]]:
    """Return the newest entries over several accounts, each with the account it is of."""
    parameters = {"accounts": list(accounts), "limit": limit}
    rows = fetch_all("latest_of", parameters, using)
    return [(row.account, Entry._make(row[1:])) for row in rows]
