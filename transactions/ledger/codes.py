"""Why the ledger refuses: its codes, and what they say to people.

The numbers and names are those of ``sql/codes.sql``. A single request is refused by SQLSTATE BKnnn,
an item of a batch by the number.
"""

from enum import IntEnum
from typing import Final

import psycopg
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError


class Code(IntEnum):
    """One reason for a refusal."""

    LINKED_ITEM_REFUSED = 1
    LINKED_CHAIN_OPEN = 2
    INVALID_AMOUNT = 10
    AMOUNT_TOO_LARGE = 11
    SAME_ACCOUNT = 12
    UNKNOWN_DEBIT_ACCOUNT = 20
    UNKNOWN_CREDIT_ACCOUNT = 21
    DEBIT_ACCOUNT_FROZEN = 22
    CREDIT_ACCOUNT_FROZEN = 23
    DEBIT_ACCOUNT_CLOSED = 24
    CREDIT_ACCOUNT_CLOSED = 25
    CURRENCIES_DIFFER = 26
    WRONG_CURRENCY = 27
    ACCOUNT_MOVED = 28
    LOAN_NEEDS_REPAYMENT = 29
    INSUFFICIENT_FUNDS = 30
    DAILY_LIMIT_EXCEEDED = 31
    PAYEE_LIMIT_EXCEEDED = 32
    INSUFFICIENT_CASH = 33
    CASH_LIMIT_EXCEEDED = 34
    NO_CASH_IN_CURRENCY = 35
    TRANSFER_LIMIT_EXCEEDED = 36
    DUPLICATE_REFERENCE = 40
    KEY_REUSED = 41
    LONG_WAY = 42
    UNKNOWN_HOLD = 50
    HOLD_NOT_OPEN = 51
    HOLD_EXPIRED = 52
    CAPTURE_EXCEEDS_HOLD = 53
    UNKNOWN_TRANSFER = 60
    ALREADY_REVERSED = 61
    NOT_REVERSIBLE = 62
    ACCOUNT_EXISTS = 70
    UNKNOWN_ACCOUNT = 71
    ACCOUNT_CLOSED = 72
    BALANCE_NOT_ZERO = 73
    HOLD_OPEN = 74
    INVALID_STATUS = 75
    INVALID_LIMIT = 76
    INTEREST_DUE = 77
    BATCH_EMPTY = 80
    BATCH_TOO_LARGE = 81
    BATCH_MALFORMED = 82
    INVALID_EXPIRY = 83
    INSTANT_IN_FUTURE = 84
    APPEND_ONLY = 90
    OTHER_CLUSTER = 91


_WORDS: Final = {
    Code.LINKED_ITEM_REFUSED: _("An item linked with this one was refused."),
    Code.LINKED_CHAIN_OPEN: _("The last item is linked with a next one, and there is none."),
    Code.INVALID_AMOUNT: _("The amount must be more than zero."),
    Code.AMOUNT_TOO_LARGE: _("The amount is larger than the bank moves in one transfer."),
    Code.SAME_ACCOUNT: _("Money cannot be sent from an account to itself."),
    Code.UNKNOWN_DEBIT_ACCOUNT: _("There is no such account of yours to pay from."),
    Code.UNKNOWN_CREDIT_ACCOUNT: _("There is no account with the number to pay to."),
    Code.DEBIT_ACCOUNT_FROZEN: _("The account to pay from is frozen."),
    Code.CREDIT_ACCOUNT_FROZEN: _("The account to pay to is frozen."),
    Code.DEBIT_ACCOUNT_CLOSED: _("The account to pay from is closed."),
    Code.CREDIT_ACCOUNT_CLOSED: _("The account to pay to is closed."),
    Code.CURRENCIES_DIFFER: _("The two accounts are in different currencies."),
    Code.WRONG_CURRENCY: _("The accounts are in another currency than the amount."),
    Code.ACCOUNT_MOVED: _("The account has just moved to another branch; please try again."),
    Code.LOAN_NEEDS_REPAYMENT: _(
        "This is the number of a loan. Pay for it as a repayment, on the loan's own page, or by a "
        "standing order."
    ),
    Code.INSUFFICIENT_FUNDS: _("There is not enough money in the account."),
    Code.DAILY_LIMIT_EXCEEDED: _("This is more than the account may still spend today."),
    Code.PAYEE_LIMIT_EXCEEDED: _(
        "This is more than the account may still pay to this payee today."
    ),
    Code.INSUFFICIENT_CASH: _("There is not enough cash here; please take less, or come later."),
    Code.CASH_LIMIT_EXCEEDED: _(
        "This is more cash than may still move here today for the account."
    ),
    Code.NO_CASH_IN_CURRENCY: _("The account's branch keeps no cash in this currency."),
    Code.TRANSFER_LIMIT_EXCEEDED: _("This is more than the account pays in one transfer."),
    Code.DUPLICATE_REFERENCE: _("The reference was used before."),
    Code.KEY_REUSED: _("The idempotency key was used before, for another request."),
    Code.LONG_WAY: _("The transfer is not a usual one."),
    Code.UNKNOWN_HOLD: _("There is no such hold."),
    Code.HOLD_NOT_OPEN: _("The hold is not open any more."),
    Code.HOLD_EXPIRED: _("The hold has expired."),
    Code.CAPTURE_EXCEEDS_HOLD: _("This is more than the hold set aside."),
    Code.UNKNOWN_TRANSFER: _("There is no such transfer."),
    Code.ALREADY_REVERSED: _("The transfer has been reversed before."),
    Code.NOT_REVERSIBLE: _("A reversal cannot be reversed."),
    Code.ACCOUNT_EXISTS: _("Another account has this number."),
    Code.UNKNOWN_ACCOUNT: _("There is no such account."),
    Code.ACCOUNT_CLOSED: _("The account is closed."),
    Code.BALANCE_NOT_ZERO: _("The account can be closed at balance zero only."),
    Code.HOLD_OPEN: _("Money is on hold, of the account or to be paid to it."),
    Code.INVALID_STATUS: _("The account cannot get this status or these limits."),
    Code.INVALID_LIMIT: _("A limit must be zero or more."),
    Code.INTEREST_DUE: _("The account has earned interest; say to which account it is paid out."),
    Code.BATCH_EMPTY: _("The batch has no items."),
    Code.BATCH_TOO_LARGE: _("A batch has at most 10,000 items."),
    Code.BATCH_MALFORMED: _("The parts of the batch do not fit together."),
    Code.INVALID_EXPIRY: _("A hold must expire later than now."),
    Code.INSTANT_IN_FUTURE: _("A balance is known for the past only."),
    Code.APPEND_ONLY: _("History cannot be changed."),
    Code.OTHER_CLUSTER: _("This reader of the journal stands on another server's transactions."),
}
_FIELDS: Final = {
    "amount": (10, 11, 30, 31, 32, 33, 34, 36, 53),
    "debit_account": (20, 22, 24),
    "credit_account": (12, 21, 23, 25, 29),
    "currency": (26, 27, 35),
    "reference": (40,),
    "expires_at": (83,),
    "payout_account": (77,),
}
_FIELD_OF: Final = {Code(number): field for field, group in _FIELDS.items() for number in group}
_MISSING: Final = frozenset({Code.UNKNOWN_HOLD, Code.UNKNOWN_TRANSFER, Code.UNKNOWN_ACCOUNT})


class Refused(DomainError):
    """The ledger refused a request; nothing was written."""

    def __init__(self, reason: Code) -> None:
        super().__init__(_WORDS[reason], field=_FIELD_OF.get(reason))
        self.reason = reason
        self.code = reason.name.lower()
        self.http_status = 404 if reason in _MISSING else 422

    @property
    def rests_on_others(self) -> bool:
        """Tell whether it may be because of a posting that is not on disk yet."""
        return self.reason is Code.INSUFFICIENT_FUNDS


def refusal_in(error: psycopg.Error) -> Refused | None:
    """Return the refusal that a database error stands for, if it is one of the ledger's."""
    state = error.sqlstate or ""
    if state.startswith("BK") and state[2:].isdecimal():
        return Refused(Code(int(state[2:])))
    return None
