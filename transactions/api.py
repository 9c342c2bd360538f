"""Accounts, statements and transfers over the API. Amounts are decimal strings."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.numbers import InvalidAccountNumber, parse_account_number
from core import clock
from core.api.keys import REPLAYED, idempotency_key
from core.api.serializers import StrictSerializer, TextField
from core.db.reading import silent_nodes
from core.errors import DomainError
from core.money import Money
from core.text import one_line
from transactions.cash import CashRequest, deposit_cash, withdraw_cash
from transactions.cursors import cursor_after, read_cursor
from transactions.ledger.codes import Code, Refused
from transactions.selectors import (
    AccountView,
    Movement,
    TransferView,
    account_of,
    accounts_of,
    recorded_at,
    statement,
    transfer_of,
)
from transactions.services import Channel, Receipt, TransferRequest, transfer_funds

LONGEST_MEMO: Final = 140
MOST_ENTRIES: Final = 100
USUAL_ENTRIES: Final = "50"
_LIMIT: Final = re.compile(r"[0-9]{1,3}", re.ASCII)


class InvalidLimit(DomainError):
    """A page of a listing cannot have this size."""

    code = "invalid_limit"
    http_status = 400


class BankView(APIView):
    """A view of the API: what it answers is for the caller alone, and for now."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep the answer out of every cache."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        add_never_cache_headers(answer)
        return answer


class TransferBody(StrictSerializer):
    """The body of ``POST /api/v1/transfers``."""

    debit_account = TextField()
    credit_account = TextField()
    amount = TextField()
    currency = TextField()
    memo = TextField(required=False)


class TransferCreate(BankView):
    """Send money."""

    def post(self, request: Request) -> Response:
        """Post one transfer, once for each idempotency key."""
        key = idempotency_key(request)
        body = TransferBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = _transfer_request(body.validated_data, user=_caller(request), key=key)
        receipt = transfer_funds(asked, now=clock.now())
        return _created(_receipt(asked, receipt), receipt)


class CashBody(StrictSerializer):
    """The body of ``POST /api/v1/deposits`` and of ``POST /api/v1/withdrawals``."""

    account = TextField()
    amount = TextField()
    currency = TextField()
    memo = TextField(required=False)


class DepositCreate(BankView):
    """Pay cash in."""

    def post(self, request: Request) -> Response:
        """Book one deposit, once for each idempotency key."""
        asked = _cash_request(request)
        receipt = deposit_cash(asked, now=clock.now())
        return _cash_booked(asked, receipt, balance_after=receipt.credit_after)


class WithdrawalCreate(BankView):
    """Take cash out."""

    def post(self, request: Request) -> Response:
        """Book one withdrawal, once for each idempotency key."""
        asked = _cash_request(request)
        receipt = withdraw_cash(asked, now=clock.now())
        return _cash_booked(asked, receipt, balance_after=receipt.debit_after)


class TransferDetail(BankView):
    """One transfer."""

    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Show a transfer from or to one of the caller's accounts."""
        return Response(_transfer(transfer_of(_caller(request), transfer_id=transfer_id)))


class AccountList(BankView):
    """The caller's accounts."""

    def get(self, request: Request) -> Response:
        """Show the accounts with their balances, and which branches do not answer."""
        found = [_account(one) for one in accounts_of(_caller(request))]
        return Response(_given(accounts=found, unavailable_branches=silent_nodes() or None))


class AccountDetail(BankView):
    """One account of the caller's."""

    def get(self, request: Request, number: str) -> Response:
        """Show an account with its balance."""
        return Response(_account(account_of(_caller(request), number=_known_number(number))))


class StatementPage(BankView):
    """One account's movements."""

    def get(self, request: Request, number: str) -> Response:
        """Show a page of the statement, newest first."""
        account = _known_number(number)
        cursor = request.query_params.get("cursor")
        page = statement(
            _caller(request),
            number=account,
            before=None if cursor is None else read_cursor(cursor, account=account),
            limit=_limit(request.query_params.get("limit", USUAL_ENTRIES)),
        )
        answer: dict[str, Any] = {
            "account": _account(page.account),
            "entries": [_entry(movement) for movement in page.movements],
            "has_more": page.older is not None,
        }
        if page.older is not None:
            answer["next_cursor"] = cursor_after(account, last=page.older)
        return Response(answer)


def _caller(request: Request) -> int:
    return int(request.user.pk)  # type: ignore[arg-type]  # nobody without an id gets here


def _transfer_request(body: dict[str, str], *, user: int, key: str) -> TransferRequest:
    """Read a transfer's body.

    Raises:
        DomainError: the first field that is not right.
    """
    return TransferRequest(
        user=user,
        key=key,
        channel=Channel.API,
        debit=parse_account_number(body["debit_account"], field="debit_account"),
        credit=parse_account_number(body["credit_account"], field="credit_account"),
        amount=Money.parse(body["amount"], body["currency"]),
        memo=_memo(body),
    )


def _cash_request(request: Request) -> CashRequest:
    """Read a deposit or a withdrawal.

    Raises:
        DomainError: the first field that is not right.
    """
    key = idempotency_key(request)
    body = CashBody(data=request.data)
    body.is_valid(raise_exception=True)
    asked = body.validated_data
    return CashRequest(
        user=_caller(request),
        key=key,
        channel=Channel.MACHINE,
        account=parse_account_number(asked["account"]),
        amount=Money.parse(asked["amount"], asked["currency"]),
        memo=_memo(asked),
    )


def _memo(body: dict[str, str]) -> str | None:
    return one_line(body.get("memo", ""), longest=LONGEST_MEMO, field="memo") or None


def _known_number(text: str) -> int:
    """Read an account number of an address; a mistyped one is nobody's."""
    try:
        return parse_account_number(text)
    except InvalidAccountNumber as error:
        raise Refused(Code.UNKNOWN_ACCOUNT) from error


def _limit(text: str) -> int:
    if not _LIMIT.fullmatch(text) or int(text) not in range(1, MOST_ENTRIES + 1):
        message = f"A page has 1 to {MOST_ENTRIES} entries."
        raise InvalidLimit(message)
    return int(text)


def _created(body: dict[str, Any], receipt: Receipt) -> Response:
    """Answer with what was booked, where it is to be found, and whether it was booked before."""
    headers = {"Location": reverse("api-transfer", args=[receipt.transfer_id])}
    if receipt.replayed:
        headers[REPLAYED] = "true"
    return Response(body, status=201, headers=headers)


def _cash_booked(asked: CashRequest, receipt: Receipt, *, balance_after: int | None) -> Response:
    body = _given(
        id=str(receipt.transfer_id),
        account=str(asked.account),
        amount=_decimal(asked.amount),
        currency=asked.amount.currency,
        memo=asked.memo,
        channel=asked.channel,
        recorded_at=_instant(recorded_at(receipt.transfer_id)),
        balance_after=_decimal(_money(balance_after, asked.amount.currency)),
    )
    return _created(body, receipt)


def _receipt(asked: TransferRequest, receipt: Receipt) -> dict[str, Any]:
    return _given(
        id=str(receipt.transfer_id),
        debit_account=str(asked.debit),
        credit_account=str(asked.credit),
        amount=_decimal(asked.amount),
        currency=asked.amount.currency,
        memo=asked.memo,
        recorded_at=_instant(recorded_at(receipt.transfer_id)),
        debit_balance_after=_decimal(_money(receipt.debit_after, asked.amount.currency)),
    )


def _transfer(transfer: TransferView) -> dict[str, Any]:
    return _given(
        id=str(transfer.transfer_id),
        debit_account=str(transfer.debit.number),
        credit_account=str(transfer.credit.number),
        amount=_decimal(transfer.amount),
        currency=transfer.amount.currency,
        memo=transfer.memo or None,
        kind=transfer.kind,
        channel=transfer.channel,
        event_at=_instant(transfer.event_at),
        recorded_at=_instant(transfer.recorded_at),
        debit_balance_after=_decimal(transfer.debit_after),
        credit_balance_after=_decimal(transfer.credit_after),
        is_reversed=transfer.is_reversed,
    )


def _account(account: AccountView) -> dict[str, Any]:
    return _given(
        number=str(account.number),
        product=account.product,
        branch=account.branch,
        currency=account.currency,
        status=account.status,
        balance=_decimal(account.balance),
        held=_decimal(account.held),
        available=_decimal(account.available),
    )


def _entry(movement: Movement) -> dict[str, Any]:
    return _given(
        transfer_id=str(movement.transfer_id),
        side="debit" if movement.is_out else "credit",
        amount=_decimal(movement.amount),
        balance_after=_decimal(movement.balance_after),
        counterparty_account=str(movement.counterparty.number),
        counterparty_name=movement.counterparty.name or None,
        kind=movement.kind,
        channel=movement.channel,
        memo=movement.memo or None,
        event_at=_instant(movement.event_at),
        recorded_at=_instant(movement.recorded_at),
    )


def _given(**members: Any) -> dict[str, Any]:
    """Return a JSON object of the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


def _decimal(money: Money | None) -> str | None:
    return None if money is None else f"{money.decimal:f}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
