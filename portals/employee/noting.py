"""Who of staff looked at whose transfers: noted before they are shown."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from accounts.access_log import note_accounts_viewed
from transactions.enquiries.transfers import FoundTransfer

_PIECE: Final = 500


def note_transfers(found: Iterable[FoundTransfer], *, viewer: int, what: str) -> None:
    """Note a look at transfers, for all who hold one of their accounts.

    Raises:
        LookNotNoted
    """
    numbers = {number for one in found for number in (one.debit.number, one.credit.number)}
    if numbers:
        note_accounts_viewed(viewer=viewer, numbers=numbers, what=what)


def noted_transfers(
    found: Iterator[FoundTransfer], *, viewer: int, what: str
) -> Iterator[FoundTransfer]:
    """Yield transfers piece by piece, each piece once it is noted who looks at it.

    Raises:
        LookNotNoted
    """
    while piece := list(islice(found, _PIECE)):
        note_transfers(piece, viewer=viewer, what=what)
        yield from piece
