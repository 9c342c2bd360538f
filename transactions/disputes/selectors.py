"""Who sees which disputes: who holds the account, and who works for the bank."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.access_log import note_accounts_viewed, note_all_viewed
from accounts.models import Approval, Holding
from core.db.keyset import older
from core.errors import DomainError
from transactions.disputes.models import UNANSWERED, Dispute
from transactions.enquiries.transfers import FoundTransfer, transfers_among
from transactions.reversing import ACTION


class UnknownDispute(DomainError):
    """There is no such case."""

    code = "unknown_dispute"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such dispute."))


def disputes_of(
    user: int, *, after: Sequence[str] | None, limit: int, using: str = "default"
) -> list[Dispute]:
    """Return the disputes about a person's accounts, the latest first, those after a position."""
    return list(older(_seen_by(user, using), by="opened_at", than=after)[:limit])


def disputes_about(
    transfer_id: UUID, *, user: int | None = None, using: str = "default"
) -> list[Dispute]:
    """Return the disputes about a movement, the latest first: a person's, or all of them."""
    found = _known(using) if user is None else _seen_by(user, using)
    return list(found.filter(transfer_id=transfer_id))


def with_movements(found: Sequence[Dispute]) -> list[tuple[Dispute, FoundTransfer | None]]:
    """Return each case with what moved; None where the node that knows it is silent."""
    moved = {one.transfer_id: one for one in transfers_among([one.transfer_id for one in found])}
    return [(one, moved.get(one.transfer_id)) for one in found]


def dispute_numbered(number: int) -> Dispute:
    """Return a case.

    Raises:
        UnknownDispute
    """
    found = _known("default").filter(pk=number).first()
    if found is None:
        raise UnknownDispute
    return found


def disputes_waiting() -> int:
    """Count the cases without an answer."""
    return Dispute.objects.filter(state__in=UNANSWERED).count()


def reversals_of(dispute: Dispute) -> Sequence[Approval]:
    """Return the requests to reverse the movement of a case, newest first."""
    payload = {"transfer_id": str(dispute.transfer_id)}
    return list(Approval.objects.filter(action=ACTION, payload=payload))


def note_disputes_viewed(found: Collection[Dispute], *, viewer: int) -> None:
    """Note that somebody looks at cases, for whose they are, and for all who hold the accounts.

    Raises:
        LookNotNoted
    """
    note_all_viewed(viewer=viewer, subjects={one.person_id for one in found}, what="disputes")
    note_accounts_viewed(viewer=viewer, numbers={one.account for one in found}, what="disputes")


def _known(using: str) -> QuerySet[Dispute]:
    return Dispute.objects.using(using).select_related("person", "taken_by", "answered_by")


def _seen_by(user: int, using: str) -> QuerySet[Dispute]:
    held = Holding.objects.using(using).filter(user=user).values("account")
    return _known(using).filter(account__in=held)
