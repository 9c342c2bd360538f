"""The operation log, and all transactions: what staff see of everybody's accounts."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.access_log import note_all_viewed
from accounts.api.fields import AccountNumberField, ObjectField, UserIdField
from accounts.selectors import holders_of
from core.api.access import ADMIN, EMPLOYEE, Access
from core.api.pages import Page, PageFilters
from core.api.representation import decimal, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    BooleanField,
    ChoiceField,
    CurrencyField,
    InstantField,
    ListField,
    TextField,
    UuidField,
)
from core.api.views import BankView, caller_pk
from core.db.reading import silent_nodes
from transactions.branches.registry import HEAD_OFFICE, UnknownNode, nodes
from transactions.ledger.posting import Channel, Kind
from transactions.operations import (
    WHATS,
    Operation,
    OperationFilter,
    operations,
)

STAFF: Final = Access(EMPLOYEE, ADMIN, scope="admin:read", permission="accounts.view_account")
_HEAD_OFFICE: Final = "HO"
TRANSACTION: Final = {
    "id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    "recorded_at": "2026-03-02T09:30:00.123000Z",
    "node": "MUM",
    "what": "transfer",
    "channel": "api",
    "account": "100000000017",
    "counterparty_account": "100000000025",
    "amount": "1250.50",
    "currency": "INR",
    "by": "Asha Rao",
    "by_user_id": "10000000017",
    "words": "rent March",
    "event_at": "2026-03-02T09:30:00Z",
}
EVENT: Final = {
    "id": "019a8f6e-6d2a-7fff-bfff-ffffffffff05",
    "recorded_at": "2026-03-02T09:29:00.5Z",
    "node": "MUM",
    "what": "set_status",
    "account": "100000000017",
    "by": "Anjali Bhatt",
    "words": "asked for by the owner",
    "details": {"from": "open", "to": "frozen"},
}


class OperationFilters(PageFilters):
    """Which operations."""

    account = AccountNumberField(required=False)
    node = TextField(required=False, help_text="Code of a branch with a node, or `HO`.")
    what = ChoiceField([str(what) for what in WHATS], required=False)
    channel = ChoiceField([str(channel) for channel in Channel], required=False)
    since = InstantField(required=False, help_text="Recorded then or later.")
    until = InstantField(required=False, help_text="Recorded before.")


class TransactionFilters(OperationFilters):
    """Which transactions."""

    what = ChoiceField([str(kind) for kind in Kind], required=False)


class OperationAnswer(Serializer[Any]):
    """One operation. Of a posting ``account`` is debited; members without a value are missing."""

    id = UuidField()
    recorded_at = InstantField()
    node = TextField()
    what = TextField()
    channel = TextField(required=False)
    account = AccountNumberField()
    counterparty_account = AccountNumberField(required=False)
    amount = AmountField(required=False)
    currency = CurrencyField(required=False)
    by = TextField(required=False)
    by_user_id = UserIdField(required=False)
    words = TextField(required=False)
    event_at = InstantField(required=False)
    details = ObjectField(required=False)


class OperationsAnswer(Serializer[Any]):
    """A page of operations, newest first, and the branches whose are missing."""

    operations = OperationAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)
    unavailable_branches = ListField(child=TextField(), most=1000, required=False)


class TransactionsAnswer(Serializer[Any]):
    """A page of transactions, newest first, and the branches whose are missing."""

    transactions = OperationAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)
    unavailable_branches = ListField(child=TextField(), most=1000, required=False)


class OperationLog(BankView):
    """The operation log."""

    access: ClassVar = {"GET": STAFF}
    filters = OperationFilters

    @operation(
        answer=OperationsAnswer, example={"operations": [TRANSACTION, EVENT], "has_more": False}
    )
    def get(self, request: Request) -> Response:
        """List what was posted and done to accounts, newest first.

        Who holds the accounts can see that you looked.
        """
        return _listing("operations", request, self.page(request), _wanted(self.filtered))


class TransactionList(BankView):
    """All transactions."""

    access: ClassVar = {"GET": STAFF}
    filters = TransactionFilters

    @operation(
        answer=TransactionsAnswer, example={"transactions": [TRANSACTION], "has_more": False}
    )
    def get(self, request: Request) -> Response:
        """List all that was posted, newest first.

        Who holds the accounts can see that you looked.
        """
        wanted = _wanted(self.filtered, postings_only=True)
        return _listing("transactions", request, self.page(request), wanted)


def _wanted(filtered: Mapping[str, Any], *, postings_only: bool = False) -> OperationFilter:
    channel = filtered.get("channel")
    return OperationFilter(
        account=filtered.get("account"),
        node=_alias(filtered.get("node")),
        what=filtered.get("what"),
        channel=None if channel is None else Channel(channel),
        since=filtered.get("since"),
        until=filtered.get("until"),
        postings_only=postings_only,
    )


def _listing(name: str, request: Request, page: Page, wanted: OperationFilter) -> Response:
    before = None if page.after is None else UUID(page.after[0])
    found = operations(wanted, before=before, limit=page.sought).operations
    shown = page.shown(found)
    both = chain.from_iterable((one.account, one.counterparty) for one in shown)
    seen = {number for number in both if number is not None}
    note_all_viewed(
        viewer=caller_pk(request),
        subjects={person for people in holders_of(seen).values() for person in people},
        what=name,
    )
    answer = page.answer(name, found, show=_operation, position=lambda one: [str(one.operation_id)])
    silent = [_code(node) for node in silent_nodes()]
    return Response(given(**answer, unavailable_branches=silent or None))


def _alias(code: str | None) -> str | None:
    """Return the node with a code.

    Raises:
        UnknownNode
    """
    alias = HEAD_OFFICE if code == _HEAD_OFFICE else code
    if alias is not None and (alias not in nodes() or code == HEAD_OFFICE):
        message = "The bank has no node with this code."
        raise UnknownNode(message, field="node")
    return alias


def _code(alias: str) -> str:
    return _HEAD_OFFICE if alias == HEAD_OFFICE else alias


def _operation(one: Operation) -> dict[str, Any]:
    return given(
        id=str(one.operation_id),
        recorded_at=instant(one.recorded_at),
        node=_code(one.node),
        what=one.what,
        channel=one.channel,
        account=str(one.account),
        counterparty_account=None if one.counterparty is None else str(one.counterparty),
        amount=decimal(one.amount),
        currency=None if one.amount is None else one.amount.currency,
        by=one.client_name or None,
        by_user_id=None if one.client_user_id is None else str(one.client_user_id),
        words=one.words or None,
        event_at=None if one.event_at is None else instant(one.event_at),
        details=dict(one.details) or None,
    )
