"""Why a card does not pay: each reason with its code and its words."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from transactions.ledger.codes import Code, Refused

_WORDS: Final = {
    "card_not_active": _("The card is not activated yet."),
    "card_frozen": _("The card is frozen."),
    "card_blocked": _("The card is blocked."),
    "card_expired": _("The card has expired."),
    "card_payment_limit_exceeded": _("This is more than the card pays at once."),
    "card_daily_limit_exceeded": _("This is more than the card may still pay today."),
    "card_monthly_limit_exceeded": _("This is more than the card may still pay this month."),
}
LEDGERS: Final = frozenset(
    {
        Code.UNKNOWN_DEBIT_ACCOUNT,
        Code.DEBIT_ACCOUNT_FROZEN,
        Code.DEBIT_ACCOUNT_CLOSED,
        Code.WRONG_CURRENCY,
        Code.INSUFFICIENT_FUNDS,
        Code.DAILY_LIMIT_EXCEEDED,
        Code.PAYEE_LIMIT_EXCEEDED,
        Code.TRANSFER_LIMIT_EXCEEDED,
    }
)
"""The ledger's refusals that are about the card's account. All others are about the request."""


class CardDeclined(DomainError):
    """A card does not pay; ``code`` says why. The same request is declined again."""

    code = "card_declined"

    def __init__(self, *, reason: str) -> None:
        super().__init__(words_of(reason), code=reason)


def words_of(reason: str) -> str:
    """Say in words why a card did not pay."""
    known = _WORDS.get(reason)
    return str(known) if known else Refused(Code[reason.upper()]).message
