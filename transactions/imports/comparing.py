"""Comparing a file's rows with what the journal holds of them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NoReturn
from zoneinfo import ZoneInfo

from django.conf import settings

from core.money import currency_named
from transactions.imports.entries import Entry, Recorded, Row
from transactions.imports.tables import BadRow
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import ReferencedTransfer, transfers_under


def recorded_entries(entries: Sequence[Entry]) -> dict[str, Recorded]:
    """Return what the journal holds of these entries, by their references."""
    references = [entry.reference for entry in entries]
    references += [entry.rounding_reference for entry in entries]
    found = transfers_under(references, client=BANK_CLIENT)
    return {
        entry.reference: _recorded(
            entry, found[entry.reference], found.get(entry.rounding_reference)
        )
        for entry in entries
        if entry.reference in found
    }


def _recorded(
    entry: Entry, main: ReferencedTransfer, rounding: ReferencedTransfer | None
) -> Recorded:
    comes_in = main.credit == entry.account
    last = rounding or main
    return Recorded(
        counterparty=main.debit if comes_in else main.credit,
        change=_change(entry, main),
        rounding=0 if rounding is None else _change(entry, rounding),
        kind=main.kind,
        event_at=main.event_at,
        balance_after=last.credit_after if last.credit == entry.account else last.debit_after,
    )


def _change(entry: Entry, transfer: ReferencedTransfer) -> int:
    return transfer.amount if transfer.credit == entry.account else -transfer.amount


def compare(rows: Sequence[Row], recorded: Mapping[str, Recorded]) -> None:
    """Compare rows with the journal, in order.

    Raises:
        BadRow: the first that differs.
    """
    for row in rows:
        entry, found = row.entry, recorded[row.entry.reference]
        if found.change != entry.change:
            _differ(entry, "amount", _decimal(entry, entry.change), _decimal(entry, found.change))
        if found.event_at != entry.event_at:
            _differ(entry, "date", _moment(entry), _moment(found))
        if (found.kind, found.counterparty) != (entry.kind, entry.counterparty):
            _differ(
                entry,
                "kind",
                f"{entry.kind} against {entry.counterparty}",
                f"{found.kind} against {found.counterparty}",
            )
        if found.rounding != entry.rounding:
            _differ(
                entry, "rounding", _decimal(entry, entry.rounding), _decimal(entry, found.rounding)
            )
        if row.balance_after is not None and found.balance_after != row.balance_after:
            _differ(
                entry,
                "balance",
                _decimal(entry, row.balance_after),
                _decimal(entry, found.balance_after),
            )


def _differ(entry: Entry, field: str, expected: str, found: str) -> NoReturn:
    raise BadRow(
        line=entry.line,
        account=entry.label,
        field=field,
        expected=expected,
        found=f"{found} in the ledger",
    )


def _decimal(entry: Entry, minor: int | None) -> str:
    if minor is None:
        return "none"
    return f"{Decimal(minor).scaleb(-currency_named(entry.currency).exponent):f}"


def _moment(of: Entry | Recorded) -> str:
    return f"{of.event_at.astimezone(ZoneInfo(settings.BANK_TIME_ZONE)):%Y-%m-%d %H:%M}"
