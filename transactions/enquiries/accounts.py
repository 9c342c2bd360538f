"""One account as staff see it, now or as it was at an instant of its past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.numbers import is_bank_account
from accounts.selectors import Identity, identities
from core.db.sql import queries
from core.errors import DomainError
from core.money import Money
from transactions.branches.asking import ask_everywhere, ask_head_office, refuse_silence_of
from transactions.branches.registry import node_of
from transactions.enquiries.customers import Holder, holders_of
from transactions.ledger import reads
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import ledger_cursor
from transactions.ledger.reads import LAST_ID, Entry, EntryFilter
from transactions.parties import Party, parties_of

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "accounts.sql")
# What was posted longer ago is on every copy that is read, and nothing older comes after it.
SETTLED_AFTER: Final = timedelta(minutes=1)


class TooRecent(DomainError):
    """Nobody can say yet, for good, what an account held at an instant."""

    code = "as_of_too_recent"
    http_status = 422

    def __init__(self) -> None:
        super().__init__(
            _("Give an instant that is at least a minute past: what is later may still change."),
            field="at",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnquiry:
    """An account, whose it is, and what is in it. Limits are None where there is none.

    ``balance_then`` is what it held at the instant that was asked for. ``identity`` is None for the
    bank's own accounts.
    """

    number: int
    party: Party
    identity: Identity | None
    purpose: str
    currency: str
    status: str
    balance: Money
    held: Money
    available: Money | None
    overdraft_limit: Money | None
    daily_limit: Money | None
    transfer_limit: Money | None
    holders: Sequence[Holder]
    balance_then: Money | None


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry of an account, with the other party; ``change`` is negative for what went out."""

    entry: Entry
    change: Money
    balance_after: Money | None
    counterparty: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """A page of an account's entries; ``older`` is where the next begins."""

    lines: Sequence[EntryLine]
    older: UUID | None


def account_enquiry(number: int, *, at: datetime | None, now: datetime) -> AccountEnquiry:
    """Return an account of a customer or the bank, and what it held ``at`` an instant.

    Raises:
        Refused: there is no such account.
        TooRecent: the instant is not a minute past.
        BranchDown: the account's branch does not answer.
    """
    if at is not None and at > now - SETTLED_AFTER:
        raise TooRecent
    rows = ask_everywhere(lambda source: _fetch(source, "account", {"number": number}))
    if not rows:
        refuse_silence_of(node_of(number))
        raise Refused(Code.UNKNOWN_ACCOUNT)
    row = rows[0]
    known = {} if is_bank_account(number) else _identities(number)

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, row.currency)

    return AccountEnquiry(
        number=number,
        party=parties_of([number])[number],
        identity=known.get(number),
        purpose=row.purpose,
        currency=row.currency,
        status=row.status,
        balance=Money(row.balance, row.currency),
        held=Money(row.held, row.currency),
        available=money(row.available),
        overdraft_limit=money(row.overdraft_limit),
        daily_limit=money(row.daily_limit),
        transfer_limit=money(row.transfer_limit),
        holders=holders_of([number]).get(number, []),
        balance_then=None if at is None else Money(_balance_before(number, at), row.currency),
    )


def entries_before(
    number: int, *, until: datetime | None, before: UUID | None, limit: int
) -> EntryPage:
    """Return up to ``limit`` entries of an account, newest first, recorded before ``until``."""
    wanted = EntryFilter(until=until)
    found = ask_everywhere(
        lambda source: reads.entries(
            number, before=before or LAST_ID, limit=limit + 1, wanted=wanted, using=source
        )
    )
    found.sort(key=lambda entry: entry.transfer_id, reverse=True)
    page = found[:limit]
    parties = parties_of([entry.counterparty for entry in page])
    lines = [_line(entry, parties) for entry in page]
    return EntryPage(lines=lines, older=page[-1].transfer_id if len(found) > limit else None)


def _line(entry: Entry, parties: dict[int, Party]) -> EntryLine:
    after = entry.balance_after
    return EntryLine(
        entry,
        Money(entry.change, entry.currency),
        None if after is None else Money(after, entry.currency),
        parties[entry.counterparty],
    )


def _identities(number: int) -> dict[int, Identity]:
    return ask_head_office(lambda source: identities([number], using=source)) or {}


def _balance_before(number: int, at: datetime) -> int:
    """Return what an account held: of several nodes on which it has lived, the last one tells."""
    asked = {"number": number, "at": at}
    rows = ask_everywhere(lambda source: _fetch(source, "balance_before", asked))
    refuse_silence_of(node_of(number))
    last = max(rows, key=lambda row: row.id, default=None)
    return 0 if last is None else int(last.balance)


def _fetch(source: str, name: str, parameters: dict[str, Any]) -> list[Any]:
    with ledger_cursor(source) as cursor:
        return cursor.execute(_QUERIES[name], parameters).fetchall()
