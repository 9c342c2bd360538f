"""Finding cards."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.cards.numbers import digests_of
from accounts.models import Card
from core.errors import DomainError


class UnknownCard(DomainError):
    """There is no such card, or none that whoever asks may know of."""

    code = "unknown_card"
    http_status = 404

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__(_("There is no such card."), field=field)


def cards_of(person: int, *, using: str = "default") -> list[Card]:
    """Return a person's cards, newest first."""
    return list(_without_digest().using(using).filter(person=person))


def card_of(person: int, *, card_id: UUID) -> Card:
    """Return one of a person's cards.

    Raises:
        UnknownCard
    """
    found = (
        _without_digest()
        .select_related("account", "person")
        .filter(pk=card_id, person=person)
        .first()
    )
    if found is None:
        raise UnknownCard
    return found


def card_known(card_id: UUID) -> Card:
    """Return anybody's card.

    Raises:
        UnknownCard
    """
    found = _without_digest().filter(pk=card_id).first()
    if found is None:
        raise UnknownCard
    return found


def card_numbered(number: str) -> Card | None:
    """Return the card with a number, if there is one."""
    return _without_digest().filter(number_digest__in=digests_of(number)).first()


def lock_card(card_id: UUID) -> Card:
    """Return a card with its account and person, locked to the end of the open transaction.

    Raises:
        UnknownCard
    """
    found = _without_digest().select_related("person").select_for_update(of=("self",), no_key=True)
    card = found.filter(pk=card_id).first()
    if card is None:
        raise UnknownCard
    return card


def cards_imported(references: Collection[str]) -> dict[str, Card]:
    """Return the cards that came with another bank's books, by their reference."""
    found = _without_digest().filter(external_reference__in=references)
    return {str(card.external_reference): card for card in found}


def _without_digest() -> QuerySet[Card]:
    # The copies do not have it, and nobody needs it who holds a card.
    return Card.objects.defer("number_digest").select_related("account")
