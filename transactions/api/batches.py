"""Many transfers in one request.

What a thousand items share is checked once, not a thousand times: their shape in one pass, and each
distinct number, amount and text by itself.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, ClassVar, Final, TypeVar

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListSerializer, Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from accounts.numbers import parse_account_number
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.keys import REPLAYED, idempotency_key
from core.api.parsers import StrictJSONParser
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    BooleanField,
    ChoiceField,
    CurrencyField,
    IntegerField,
    LineField,
    StrictField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.errors import DomainError
from core.money import Money
from core.text import one_line
from transactions.api.booking import LONGEST_MEMO
from transactions.batching import (
    MOST_TRANSFERS,
    BatchRequest,
    BatchResult,
    post_transfers_as,
)
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Transfer

LONGEST_REFERENCE: Final = 64
_MOST_FAULTS: Final = 20
_NEEDED: Final = frozenset({"debit_account", "credit_account", "amount", "currency"})
_KNOWN: Final = _NEEDED | {"memo", "reference", "linked"}
# What no JSON value is.
_ABSENT: Final = object()
_ITEM: Final = {
    "debit_account": "100000000017",
    "credit_account": "100000000025",
    "amount": "1250.50",
    "currency": "INR",
    "memo": "wages March",
    "reference": "W-2026-03-0001",
}

Value = TypeVar("Value")


class BatchParser(StrictJSONParser):
    """Take a body with room for all the transfers of a request."""

    most_bytes = 8 * 1024 * 1024


class ItemBody(StrictSerializer):
    """One transfer. ``linked``: it is made together with the next one, or neither is."""

    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = LineField(longest=LONGEST_MEMO, required=False)
    reference = LineField(least=1, longest=LONGEST_REFERENCE, required=False)
    linked = BooleanField(required=False)

    def validate(self, attrs: Any) -> Any:
        """Read the amount, too.

        Raises:
            ValidationError
        """
        try:
            Money.parse(attrs["amount"], attrs["currency"])
        except DomainError as error:
            detail = ErrorDetail(error.message, code=error.code)
            raise ValidationError({error.field or "amount": [detail]}) from error
        return attrs


class BatchBody(StrictSerializer):
    """Transfers, in the order in which they are made: how the OpenAPI describes them."""

    transfers: ListSerializer[Any] = ListSerializer(
        child=ItemBody(), min_length=1, max_length=MOST_TRANSFERS
    )


class TransfersField(StrictField):
    """A list of transfers, read all at once."""

    def to_internal_value(self, data: Any) -> list[Transfer]:
        """Return the transfers.

        Raises:
            ValidationError: naming the first items that are not right, and what is wrong with them.
        """
        if not isinstance(data, list):
            self.refuse("not_a_list", "This must be a JSON array.")
        if len(data) not in range(1, MOST_TRANSFERS + 1):
            refusal = Refused(Code.BATCH_TOO_LARGE if data else Code.BATCH_EMPTY)
            self.refuse(refusal.code, refusal.message)
        try:
            return _transfers(data)
        except (_Misshapen, DomainError) as error:
            faults = islice(_faults(data), _MOST_FAULTS)
            raise ValidationError({str(place): detail for place, detail in faults}) from error


class BatchRead(StrictSerializer):
    """How a batch is read: by another way than one item after the other."""

    transfers = TransfersField()


class ItemAnswer(Serializer[Any]):
    """What came of one transfer: its id, or why it was not made."""

    status = ChoiceField(("posted", "refused", "unanswered"))
    id = UuidField(required=False)
    code = TextField(required=False)
    detail = TextField(required=False)


class BatchAnswer(Serializer[Any]):
    """What came of each transfer, in their order.

    ``settling``: of some, the payees' branch has still to book them.
    """

    results = ItemAnswer(many=True)
    posted = IntegerField(least=0, most=MOST_TRANSFERS)
    refused = IntegerField(least=0, most=MOST_TRANSFERS)
    unanswered = IntegerField(least=0, most=MOST_TRANSFERS)
    settling = BooleanField()


class TransferBatch(BankView):
    """Many transfers at once."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="batches:write")}
    parser_classes = (BatchParser,)

    @operation(
        answer=BatchAnswer,
        example={
            "results": [
                {"status": "posted", "id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55"},
                {
                    "status": "refused",
                    "code": "insufficient_funds",
                    "detail": "There is not enough money in the account.",
                },
            ],
            "posted": 1,
            "refused": 1,
            "unanswered": 0,
            "settling": False,
        },
        body=BatchBody,
        body_example={"transfers": [_ITEM, {**_ITEM, "reference": "W-2026-03-0002"}]},
        keyed=True,
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Send up to 10,000 transfers, each with its own result.

        Earlier ones count for later ones of the same branches. With `unanswered` ones, a branch did
        not answer: send the same request again, under the same key, and just those are made. A
        `reference` is taken once only. Linked transfers go the same way, within one branch or
        between two. What is not written as it must be refuses the request as a whole.
        """
        key = idempotency_key(request)
        body = BatchRead.read(request.data)
        asked = BatchRequest(
            user=caller_pk(request),
            key=key,
            channel=Channel.API,
            transfers=body["transfers"],
        )
        result = post_transfers_as(
            caller_of(request), asked, step_up=partial(step_up_of, request), now=clock.now()
        )
        return Response(
            _answer(result, len(asked.transfers)),
            headers={REPLAYED: "true"} if result.replayed else None,
        )


class _Misshapen(Exception):  # no error: what is wrong is looked for item by item
    """Some item is no object, or has not the right members, or one of the wrong kind."""


def _transfers(items: Sequence[Any]) -> list[Transfer]:
    """Return the transfers that items ask for, if they are right.

    Raises:
        _Misshapen, DomainError
    """
    if not all(type(item) is dict and _NEEDED <= item.keys() <= _KNOWN for item in items):
        raise _Misshapen
    linked = [item.get("linked", False) for item in items]
    if set(map(type, linked)) != {bool}:
        raise _Misshapen
    texts = {name: _texts(items, name) for name in _KNOWN - {"linked"}}
    columns = (
        _read(texts["debit_account"], parse_account_number),
        _read(texts["credit_account"], parse_account_number),
        _read(list(zip(texts["amount"], texts["currency"], strict=True)), _amount),
        _read(texts["memo"], _memo),
        _read(texts["reference"], _reference),
        linked,
    )
    return [
        Transfer(debit, credit, amount, memo=memo, reference=reference, linked=is_linked)
        for debit, credit, amount, memo, reference, is_linked in zip(*columns, strict=True)
    ]


def _texts(items: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """Return a column of strings; what an item has not is ``_ABSENT``.

    Raises:
        _Misshapen
    """
    column = [item.get(name, _ABSENT) for item in items]
    if not set(map(type, column)) <= {str, object}:
        raise _Misshapen
    return column


def _read(column: Sequence[Hashable], read: Callable[[Any], Value]) -> list[Value]:
    """Return what a column's values mean, having read each distinct one once."""
    meaning = {value: read(value) for value in set(column)}
    return [meaning[value] for value in column]


def _amount(written: tuple[str, str]) -> Money:
    return Money.parse(*written)


def _memo(text: Any) -> str | None:
    if text is _ABSENT:
        return None
    return one_line(text, longest=LONGEST_MEMO, field="memo") or None


def _reference(text: Any) -> str | None:
    if text is _ABSENT:
        return None
    reference = one_line(text, longest=LONGEST_REFERENCE, field="reference")
    if not reference:
        raise _Misshapen
    return reference


def _faults(items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the places of items that are not right, and what is wrong with them."""
    for place, item in enumerate(items):
        try:
            ItemBody.read(item)
        except ValidationError as error:
            yield place, error.detail


def _answer(result: BatchResult, items: int) -> dict[str, Any]:
    unanswered = set(result.unanswered)
    return {
        "results": [_item(result, place, unanswered) for place in range(items)],
        "posted": len(result.ids),
        "refused": len(result.faults) - len(unanswered),
        "unanswered": len(unanswered),
        "settling": result.settling,
    }


def _item(result: BatchResult, place: int, unanswered: set[int]) -> dict[str, Any]:
    fault = result.faults.get(place)
    if fault is None:
        return {"status": "posted", "id": str(result.ids[place])}
    status = "unanswered" if place in unanswered else "refused"
    return {"status": status, "code": fault.code, "detail": fault.message}
