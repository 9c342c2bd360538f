"""Posting entries, each as one transfer, and a linked second one for its rounding.

Nothing here knows what balance a file expects.
"""

from collections.abc import Iterator, Sequence

from core.clock import bank_day
from core.money import Money
from transactions.chart import BankAccounts, Place
from transactions.imports.entries import Entry
from transactions.imports.tables import BadRow
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import (
    BANK_CLIENT,
    Channel,
    Kind,
    Order,
    Transfer,
    post_batch,
)


def post_entries(entries: Sequence[Entry], *, bank: BankAccounts) -> None:
    """Post up to 5,000 entries in one batch, in order. Needs a transaction: all or none.

    Raises:
        BadRow: the ledger refuses one; the transaction has to be rolled back.
        Busy: try again.
    """
    items = [(entry, transfer) for entry in entries for transfer in _transfers(entry, bank)]
    # Old payments count against the limits of their own days, not against today's.
    latest = max(entry.event_at for entry in entries)
    order = Order(client=BANK_CLIENT, channel=Channel.IMPORT, day=bank_day(latest), key=None)
    receipt = post_batch([transfer for _, transfer in items], order=order)
    for item, code in receipt.refusals.items():
        if code is not Code.LINKED_ITEM_REFUSED:
            entry = items[item][0]
            raise BadRow(
                line=entry.line,
                account=entry.label,
                field="posting",
                expected="a transfer that the ledger accepts",
                found=f"{code.name.lower()} ({Refused(code).message})",
            )


def _transfers(entry: Entry, bank: BankAccounts) -> Iterator[Transfer]:
    yield _transfer(
        entry,
        change=entry.change,
        other=entry.counterparty,
        kind=entry.kind,
        memo=entry.memo,
        reference=entry.reference,
        linked=entry.rounding != 0,
    )
    if entry.rounding:
        yield _transfer(
            entry,
            change=entry.rounding,
            other=bank.number(Place.ROUNDING),
            kind=Kind.ROUNDING,
            memo="Rounding",
            reference=entry.rounding_reference,
            linked=False,
        )


def _transfer(  # noqa: PLR0913  # the sides of a leg
    entry: Entry,
    *,
    change: int,
    other: int,
    kind: Kind,
    memo: str,
    reference: str,
    linked: bool,
) -> Transfer:
    debit, credit = (other, entry.account) if change > 0 else (entry.account, other)
    return Transfer(
        debit=debit,
        credit=credit,
        amount=Money(abs(change), entry.currency),
        kind=kind,
        memo=memo,
        reference=reference,
        event_at=entry.event_at,
        linked=linked,
    )
