"""The caller's accounts."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.numbers import InvalidAccountNumber, parse_account_number
from core.api.access import CUSTOMER, Access
from core.api.representation import decimal, given
from core.api.schema import operation
from core.api.views import BankView, caller_pk
from core.db.reading import silent_nodes
from transactions.api.answers import ACCOUNT, AccountAnswer, AccountsAnswer
from transactions.ledger.codes import Code, Refused
from transactions.selectors import AccountView, account_of, accounts_of


class AccountList(BankView):
    """The caller's accounts."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}

    @operation(answer=AccountsAnswer, example={"accounts": [ACCOUNT]})
    def get(self, request: Request) -> Response:
        """Show the accounts with their balances, and which branches do not answer."""
        found = [account_shown(one) for one in accounts_of(caller_pk(request))]
        return Response(given(accounts=found, unavailable_branches=silent_nodes() or None))


class AccountDetail(BankView):
    """One account of the caller's."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}

    @operation(answer=AccountAnswer, example=ACCOUNT)
    def get(self, request: Request, number: str) -> Response:
        """Show an account with its balance."""
        account = account_of(caller_pk(request), number=known_account_number(number))
        return Response(account_shown(account))


def known_account_number(text: str) -> int:
    """Read an account number of an address; a mistyped one is nobody's.

    Raises:
        Refused: with the code of an unknown account.
    """
    try:
        return parse_account_number(text)
    except InvalidAccountNumber as error:
        raise Refused(Code.UNKNOWN_ACCOUNT) from error


def account_shown(account: AccountView) -> dict[str, Any]:
    """Return an account as answers show it."""
    return given(
        number=str(account.number),
        product=account.product,
        branch=account.branch,
        currency=account.currency,
        status=account.status,
        balance=decimal(account.balance),
        held=decimal(account.held),
        available=decimal(account.available),
    )
