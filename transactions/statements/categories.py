"""What each movement is for: as the bank tells by itself, or as its person says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import DomainError
from transactions.branches.asking import ask_head_office_itself
from transactions.selectors import TransferView, transfer_of
from transactions.statements.models import Category, MovementCategory

_OF_KIND: Final = {
    "own": Category.OWN,
    "payment": Category.BILLS,
    "card": Category.SHOPPING,
    "withdrawal": Category.CASH,
    "deposit": Category.CASH,
    "interest": Category.INTEREST,
    "penalty_interest": Category.CHARGES,
    "fee": Category.CHARGES,
    "rounding": Category.CHARGES,
    "loan_interest": Category.CHARGES,
    "loan_fee": Category.CHARGES,
    "loan_penalty": Category.CHARGES,
    "reversal": Category.CORRECTIONS,
}


class UnknownCategory(DomainError):
    """There is no such category."""

    code = "unknown_category"

    def __init__(self) -> None:
        super().__init__(_("There is no such category."), field="category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A transfer with what it is for; ``is_chosen``: its person has said so.

    ``can_change`` is False while the head office, which keeps it, does not answer.
    """

    transfer: TransferView
    category: Category
    is_chosen: bool
    can_change: bool


def usual_category(kind: str, *, is_coming: bool) -> Category:
    """Return what the bank takes a movement for; ``own`` is between a person's accounts."""
    return _OF_KIND.get(kind, Category.RECEIVED if is_coming else Category.SENT)


def movement_of(user: int, *, transfer_id: UUID) -> Movement:
    """Return a transfer from or to one of a person's accounts, and what it is for.

    Raises:
        Refused: there is none with this id that is theirs to see.
        BranchDown: it may be at a branch that does not answer.
    """
    transfer = transfer_of(user, transfer_id=transfer_id)
    chosen = chosen_categories(user, [transfer_id])
    usual = usual_category(
        "own" if transfer.is_own else transfer.kind, is_coming=transfer.debit_after is None
    )
    return Movement(
        transfer=transfer,
        category=(chosen or {}).get(transfer_id, usual),
        is_chosen=bool(chosen),
        can_change=chosen is not None,
    )


def choose_category(user: int, *, transfer_id: UUID, category: str, now: datetime) -> None:
    """Put a person's transfer into a category; into an empty one: as the bank takes it.

    Raises:
        Refused: there is none with this id that is theirs to see.
        UnknownCategory
        BranchDown: it may be at a branch that does not answer.
    """
    transfer_of(user, transfer_id=transfer_id)
    if not category:
        MovementCategory.objects.filter(user_id=user, transfer_id=transfer_id).delete()
        return
    if category not in Category.values:
        raise UnknownCategory
    MovementCategory.objects.update_or_create(
        user_id=user,
        transfer_id=transfer_id,
        defaults={"category": category, "chosen_at": now},
    )


def chosen_categories(
    user: int, transfers: Sequence[UUID] | None = None
) -> dict[UUID, Category] | None:
    """Return what a person put their transfers into, all or some; None: nobody answers."""

    def ask(node: str) -> dict[UUID, Category]:
        mine = MovementCategory.objects.using(node).filter(user_id=user)
        found = mine if transfers is None else mine.filter(transfer_id__in=transfers)
        pairs = found.values_list("transfer_id", "category")
        return {transfer_id: Category(category) for transfer_id, category in pairs}

    return ask_head_office_itself(ask)
