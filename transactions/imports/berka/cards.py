"""The cards of card.asc, each given to the person and for the account of a line of disp.asc.

That bank called them credit cards. The file has no numbers and no limits: they come in to be
activated, with the first limits of their tier, so that none pays by a number that nobody knows.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from accounts.cards.selectors import cards_imported
from accounts.models import Card, CardKind, CardTier, User
from core.errors import DomainError
from transactions.card_payments.asking import first_limits
from transactions.imports.berka.people import CLIENT_REFERENCE, DISPOSITION
from transactions.imports.berka.rows import CURRENCY, noon
from transactions.imports.tables import BadField, day, one_of, parse_table, whole

_COLUMNS: Final = ("card_id", "disp_id", "type", "issued")
_ISSUED: Final = re.compile(r"([0-9]{6}) 00:00:00", re.ASCII)
_AT_ONCE: Final = 2_000


class CardDiffers(DomainError):
    """A card of the file is another one in the bank."""

    code = "card_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCard:
    """A line of card.asc; ``person`` and ``account`` are the files' own ids."""

    card_id: int
    person: str
    account: str
    tier: CardTier
    issued_at: datetime

    @property
    def reference(self) -> str:
        """The reference under which the bank has it."""
        return f"berka:card:{self.card_id}"


def read_cards(folder: Path) -> list[ImportedCard]:
    """Read and check card.asc by disp.asc, which was checked before.

    Raises:
        UnreadableFile: naming file, line and field.
    """
    held = dict(parse_table(folder / "disp.asc", DISPOSITION, _held))
    return parse_table(folder / "card.asc", _COLUMNS, partial(_card, held))


def add_cards(cards: Sequence[ImportedCard], *, numbers: Mapping[str, int]) -> int:
    """Add the cards that are missing, compare all, and return how many the bank has.

    ``numbers`` are those of the accounts by their ids. Needs a transaction, under ``lock_imports``.

    Raises:
        CardDiffers: naming the first one.
    """
    references = [card.reference for card in cards]
    known = cards_imported(references)
    people = _people(card.person for card in cards)
    missing = [
        _new(card, people[card.person], numbers[card.account])
        for card in cards
        if card.reference not in known
    ]
    Card.objects.bulk_create(missing, batch_size=_AT_ONCE)
    for card in cards:
        if card.reference in known:
            found = known[card.reference]
            _compare(card, found, person=people[card.person], account=numbers[card.account])
    return Card.objects.filter(external_reference__in=references).count()


def _new(card: ImportedCard, person: int, account: int) -> Card:
    limits = first_limits(card.tier, CURRENCY)
    return Card(
        id=uuid4(),
        person_id=person,
        account_id=account,
        kind=CardKind.CREDIT,
        tier=card.tier,
        issued_at=card.issued_at,
        external_reference=card.reference,
        **{str(limit): minor for limit, minor in limits.items()},
    )


def _compare(card: ImportedCard, found: Card, *, person: int, account: int) -> None:
    pairs = {
        "disp_id": ((person, account), (found.person_id, found.account_id)),
        "type": (card.tier, found.tier),
        "issued": (card.issued_at, found.issued_at),
    }
    for field, (expected, known) in pairs.items():
        if expected != known:
            message = f"card {card.card_id}, {field}: expected {expected}, the bank has {known}"
            raise CardDiffers(message)


def _people(ids: Iterable[str]) -> dict[str, int]:
    references = {f"{CLIENT_REFERENCE}{one}": one for one in ids}
    found = User.objects.filter(external_reference__in=references)
    return {
        references[str(reference)]: pk
        for reference, pk in found.values_list("external_reference", "pk")
    }


def _held(fields: Sequence[str]) -> tuple[int, tuple[str, str]]:
    return whole(fields[0], field="disp_id"), (fields[1], fields[2])


def _card(held: Mapping[int, tuple[str, str]], fields: Sequence[str]) -> ImportedCard:
    disposition = whole(fields[1], field="disp_id")
    if disposition not in held:
        raise BadField(field="disp_id", expected="one of disp.asc", found=fields[1])
    issued = _ISSUED.fullmatch(fields[3])
    if issued is None:
        raise BadField(field="issued", expected="a day YYMMDD 00:00:00", found=repr(fields[3]))
    person, account = held[disposition]
    return ImportedCard(
        card_id=whole(fields[0], field="card_id"),
        person=str(int(person)),
        account=str(int(account)),
        tier=CardTier(one_of(fields[2], CardTier.values, field="type")),
        issued_at=noon(day(issued[1], field="issued")),
    )
