"""The caller's accounts and their statements."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.numbers import InvalidAccountNumber, parse_account_number
from core.api.access import CUSTOMER, Access
from core.api.pages import PageFilters
from core.api.representation import decimal, given, instant
from core.api.schema import operation
from core.api.views import BankView, caller_pk
from core.db.reading import silent_nodes
from transactions.api.answers import (
    ACCOUNT,
    ENTRY,
    AccountAnswer,
    AccountsAnswer,
    StatementAnswer,
)
from transactions.cursors import cursor_after, read_cursor
from transactions.ledger.codes import Code, Refused
from transactions.selectors import AccountView, Movement, account_of, accounts_of, statement


class AccountList(BankView):
    """The caller's accounts."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}

    @operation(answer=AccountsAnswer, example={"accounts": [ACCOUNT]})
    def get(self, request: Request) -> Response:
        """Show the accounts with their balances, and which branches do not answer."""
        found = [_account(one) for one in accounts_of(caller_pk(request))]
        return Response(given(accounts=found, unavailable_branches=silent_nodes() or None))


class AccountDetail(BankView):
    """One account of the caller's."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}

    @operation(answer=AccountAnswer, example=ACCOUNT)
    def get(self, request: Request, number: str) -> Response:
        """Show an account with its balance."""
        account = account_of(caller_pk(request), number=known_account_number(number))
        return Response(_account(account))


class StatementPage(BankView):
    """One account's movements."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}
    filters = PageFilters

    @operation(
        answer=StatementAnswer,
        example={"account": ACCOUNT, "entries": [ENTRY], "has_more": False},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show a page of the statement, newest first."""
        account = known_account_number(number)
        cursor = self.filtered.get("cursor")
        page = statement(
            caller_pk(request),
            number=account,
            before=None if cursor is None else read_cursor(cursor, account=account),
            limit=self.filtered["limit"],
        )
        answer: dict[str, Any] = {
            "account": _account(page.account),
            "entries": [_entry(movement) for movement in page.movements],
            "has_more": page.older is not None,
        }
        if page.older is not None:
            answer["next_cursor"] = cursor_after(account, last=page.older)
        return Response(answer)


def known_account_number(text: str) -> int:
    """Read an account number of an address; a mistyped one is nobody's.

    Raises:
        Refused: with the code of an unknown account.
    """
    try:
        return parse_account_number(text)
    except InvalidAccountNumber as error:
        raise Refused(Code.UNKNOWN_ACCOUNT) from error


def _account(account: AccountView) -> dict[str, Any]:
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


def _entry(movement: Movement) -> dict[str, Any]:
    return given(
        transfer_id=str(movement.transfer_id),
        side="debit" if movement.is_out else "credit",
        amount=decimal(movement.amount),
        balance_after=decimal(movement.balance_after),
        counterparty_account=str(movement.counterparty.number),
        counterparty_name=movement.counterparty.name or None,
        kind=movement.kind,
        channel=movement.channel,
        memo=movement.memo or None,
        event_at=instant(movement.event_at),
        recorded_at=instant(movement.recorded_at),
    )
