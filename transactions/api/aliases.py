"""The addresses that programs of the bank's first servers know. New ones use ``/api/v1/``."""

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import AccountNumberField
from core.api.access import CUSTOMER, Access
from core.api.pages import MOST_ENTRIES
from core.api.representation import decimal
from core.api.serializers import StrictSerializer
from core.api.views import BankView, caller_pk
from transactions.api.statements import entry_shown
from transactions.ledger.codes import Code, Refused
from transactions.selectors import AccountView, account_of, accounts_of
from transactions.statements.pages import statement

_FEW: Final = 5
_READ: Final = {"GET": Access(CUSTOMER, scope="accounts:read")}


class WhichAccount(StrictSerializer):
    """Of which account; the first one when none is named."""

    account = AccountNumberField(required=False)


class Balance(BankView):
    """What is in an account."""

    access: ClassVar = _READ
    filters = WhichAccount

    def get(self, request: Request) -> Response:
        """Show the balance."""
        account = _account(request, self.filtered)
        return Response({"balance": decimal(account.balance), "currency": account.currency})


class Transactions(BankView):
    """What moved on an account, newest first."""

    access: ClassVar = _READ
    filters = WhichAccount
    most: ClassVar = MOST_ENTRIES

    def get(self, request: Request) -> Response:
        """Show the newest entries of the statement."""
        account = _account(request, self.filtered)
        page = statement(caller_pk(request), number=account.number, before=None, limit=self.most)
        return Response({"transactions": [entry_shown(one) for one in page.movements]})


class LastFive(Transactions):
    """What moved last."""

    most: ClassVar = _FEW


def _account(request: Request, filtered: Any) -> AccountView:
    """Return the account that is asked for, or the caller's first.

    Raises:
        Refused: there is none.
    """
    person, number = caller_pk(request), filtered.get("account")
    if number is not None:
        return account_of(person, number=number)
    found = accounts_of(person)
    if not found:
        raise Refused(Code.UNKNOWN_ACCOUNT)
    return found[0]
