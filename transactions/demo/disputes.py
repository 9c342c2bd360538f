"""Two disputes of the demo's first customer: one that waits, and one that has its answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from accounts.models import Holding, Product, User
from transactions.demo.people import Persona
from transactions.demo.story import Holder
from transactions.disputes.models import Dispute, DisputeReason, DisputeState
from transactions.ledger.posting import Kind
from transactions.statements.pages import statement

_MOST_READ: Final = 100
_WHO: Final = "Asha Rao"


def add_disputes(
    people: Sequence[Persona], numbers: Mapping[Holder, int], *, now: datetime
) -> None:
    """Let Asha, where she is among the people, dispute what her card paid last, and before that.

    Again, it does nothing.
    """
    place = next((place for place, person in enumerate(people) if person.name == _WHO), None)
    if place is None:
        return
    account = numbers[Holder(place, Product.CURRENT)]
    if Dispute.objects.filter(account=account).exists():
        return
    asha = Holding.objects.get(account=account).user_id
    page = statement(asha, number=account, before=None, limit=_MOST_READ)
    bought = [one.transfer_id for one in page.movements if one.kind == Kind.CARD][:2]
    if len(bought) < 2:  # noqa: PLR2004  # one that waits and one that is answered
        return
    waiting, answered = (
        Dispute(transfer_id=transfer_id, account=account, person_id=asha) for transfer_id in bought
    )
    waiting.why, waiting.opened_at = DisputeReason.NOT_MINE, now
    waiting.words = "I was at home that day, with the card"
    answered.why, answered.opened_at = DisputeReason.TWICE, now - timedelta(days=3)
    answered.state, answered.answered_at = DisputeState.DECLINED, now - timedelta(days=1)
    answered.answered_by = User.objects.filter(is_superuser=True).order_by("pk")[0]
    answered.answer = "The shop sent two receipts: you paid there twice that day."
    Dispute.objects.bulk_create([answered, waiting])
