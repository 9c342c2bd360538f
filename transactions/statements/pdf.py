"""Statements as PDF/UA, for people and their files. In English: no font for Hindi comes with it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core.amounts import grouped
from core.clock import bank_day, bank_time
from core.errors import DomainError
from core.money import Money
from core.typesetting import typeset
from transactions.selectors import Movement, TransferView
from transactions.statements.whole import WholeStatement

MOST_ENTRIES: Final = 10_000
BANK: Final = "Bankproject"
_TEMPLATES: Final = Path(__file__).parent / "typst"
_MINUS: Final = "\N{MINUS SIGN}"
_DIGITS_AT_ONCE: Final = 4
_HEADS: Final = ("Booked", "What", "In", "Out", "Balance")
_PARTIAL: Final = "Only some entries of these days, as was asked for: balances do not follow."
_PAGES: Final = "Page {page} of {pages}"


class TooManyEntries(DomainError):
    """A PDF of so many pages is of use to nobody."""

    code = "too_many_entries"

    def __init__(self) -> None:
        super().__init__(
            f"A PDF has room for {MOST_ENTRIES:,} entries. Please choose a shorter period, or CSV."
        )


def statement_pdf(statement: WholeStatement) -> Iterator[bytes]:
    """Return a statement, which needs the oldest movement first, as the one piece of a file.

    Raises:
        TooManyEntries, TypesetterBusy, BranchDown
    """
    if statement.totals.entries > MOST_ENTRIES:
        raise TooManyEntries
    account, totals = statement.account, statement.totals
    data = {
        **_frame("Statement of account", account.number, statement.made_at),
        "facts": [
            ("Account holder", statement.owner),
            ("Account", f"{_in_groups(account.number)}\n{account.product}, {account.branch}"),
            ("Period", _period(statement)),
            ("Currency", account.currency),
            ("Entries", f"{totals.entries:,}"),
        ],
        "totals": [
            ("Opening balance", _signed(totals.opening)),
            ("In", f"+{_signed(totals.coming)}"),
            ("Out", _MINUS + _signed(Money(abs(totals.going.minor), account.currency))),
            ("Closing balance", _signed(totals.closing)),
        ],
        "notes": [_PARTIAL] if statement.is_partial else [],
        "heads": _HEADS,
        "rows": [_row(movement) for movement in statement.movements],
        "nothing": "Nothing moved in this period.",
    }
    return iter([typeset(_TEMPLATES / "statement.typ", data)])


def receipt_pdf(transfer: TransferView, *, now: datetime) -> bytes:
    """Return a receipt of a transfer.

    Raises:
        TypesetterBusy
    """
    state = "Taken back" if transfer.is_reversed else "Done"
    data = {
        **_frame("Receipt", transfer.debit.number, now),
        "totals": [
            ("Amount", f"{transfer.amount.currency} {_signed(transfer.amount)}"),
            ("Status", "On its way" if transfer.settling else state),
        ],
        "facts": [
            ("From", f"{transfer.debit.name}\n{_in_groups(transfer.debit.number)}"),
            ("To", f"{transfer.credit.name}\n{_in_groups(transfer.credit.number)}"),
            *([("Message", transfer.memo)] if transfer.memo else []),
            ("What", _named(transfer.kind)),
            ("Happened", _minute(transfer.event_at)),
            ("Booked", _minute(transfer.recorded_at)),
            ("Reference", str(transfer.transfer_id)),
        ],
        "notes": [],
    }
    return typeset(_TEMPLATES / "receipt.typ", data)


def _frame(title: str, number: int, made_at: datetime) -> dict[str, Any]:
    return {
        "lang": "en",
        "bank": BANK,
        "title": title,
        "foot": f"Account {_in_groups(number)} · made on {_minute(made_at)}",
        "page-of": _PAGES,
    }


def _period(statement: WholeStatement) -> str:
    end = min(statement.wanted.until or statement.made_at, statement.made_at)
    # The instant at which a range ends belongs to the day after it.
    last = _day(bank_day(end - timedelta(microseconds=1)))
    since = statement.wanted.since
    return f"until {last}" if since is None else f"{_day(bank_day(since))} to {last}"


def _row(movement: Movement) -> tuple[str, str, str, str, str]:
    booked, happened = bank_day(movement.recorded_at), bank_day(movement.event_at)
    party, amount = movement.counterparty, grouped(movement.amount.text)
    whom = " · ".join(filter(None, [party.name, _in_groups(party.number)]))
    lines = [movement.memo or _named(movement.kind), whom]
    if happened != booked:
        lines.append(f"happened on {_day(happened)}")
    after = movement.balance_after
    return (
        _day(booked),
        "\n".join(lines),
        "" if movement.is_out else amount,
        amount if movement.is_out else "",
        "" if after is None else _signed(after),
    )


def _signed(amount: Money) -> str:
    minus = _MINUS if amount.minor < 0 else ""
    return minus + grouped(Money(abs(amount.minor), amount.currency).text)


def _in_groups(number: int) -> str:
    digits = str(number)
    starts = range(0, len(digits), _DIGITS_AT_ONCE)
    return " ".join(digits[start : start + _DIGITS_AT_ONCE] for start in starts)


def _named(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _day(on: date) -> str:
    return f"{on.day} {on:%b %Y}"


def _minute(at: datetime) -> str:
    local = bank_time(at)
    return f"{_day(local.date())}, {local:%H:%M}"
