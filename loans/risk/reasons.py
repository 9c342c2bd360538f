"""Why a score is what it is, in words that an applicant understands."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_BALANCE = _("The balance of your account was at times low for an instalment of this size.")
_AMOUNT = _("The amount is large for what your account usually holds.")

_WORDS: Final[dict[str, Promise]] = {
    "log_requestedamount": _("The amount that you ask for is large."),
    "log_loanamount": _("The amount of the loan is large."),
    "loan_to_request_ratio": _("The loan offered differs from the amount that you asked for."),
    "is_high_interest": _("The loan bears a high rate of interest."),
    "months": _("The term of the loan counts against it."),
    "instalment_to_income": _("The instalment is large for what comes into your account."),
    "surplus": _("After what leaves your account, little is left for the instalment."),
    "penalties": _("Penalty interest was charged because your account was overdrawn."),
    "usual_balance": _("Your account usually holds little, measured by the instalment."),
    "amount_to_balance": _AMOUNT,
    "balance_variation": _("The balance of your account goes up and down a lot."),
    "lowest_balance": _BALANCE,
    "lowest_balance_recently": _("Your balance was low in the last three months on your account."),
    "low_tenth_of_balance": _BALANCE,
    "days_below_an_instalment": _("On many days your account held less than one instalment."),
    "was_overdrawn": _("Your account was overdrawn."),
    "second_holder": _("The account has one holder alone."),
}


def in_words(column: str) -> str:
    """Return what stands behind a column that raised the risk, in the reader's language."""
    if column in _WORDS:
        return str(_WORDS[column])
    return str(_("%(column)s counts against the application.") % {"column": column})
