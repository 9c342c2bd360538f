"""Going after accounts that move: where one is gone, its node tells where to."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.utils.translation import gettext as _

from core.db.errors import Busy
from transactions.branches.registry import follow
from transactions.ledger.codes import Code, Refused

_MOST_TURNS: Final = 3

Answer = TypeVar("Answer")


def follow_accounts(*numbers: int, work: Callable[[], Answer]) -> Answer:
    """Do what is to be done where the accounts live, and again where one of them has moved away.

    ``work`` asks the registry each time, and has written nothing when it is refused.

    Raises:
        Busy: the account moved again and again; nothing was done.
        Refused: for any other reason.
    """
    for _turn in range(_MOST_TURNS):
        try:
            return work()
        except Refused as refusal:
            if refusal.reason is not Code.ACCOUNT_MOVED:
                raise
        for number in numbers:
            follow(number)
    message = _("The account is just moving. Nothing was done; please try again.")
    raise Busy(message)
