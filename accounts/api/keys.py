"""The caller's API keys."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.callers import acting_as
from accounts.keys import KEYS_CURRENCY, KeyRequest, ask_key, keys_of, revoke_key
from accounts.models import ApiKey
from core import clock
from core.api.access import ADMIN, CUSTOMER, EMPLOYEE, SCOPES, Access
from core.api.representation import decimal_of, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    ChoiceField,
    InstantField,
    IntegerField,
    LineField,
    ListField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.errors import DomainError
from core.money import Money

_USUAL_DAYS: Final = 90
_MOST_DAYS: Final = 366
_KEY: Final = {
    "id": "0c3a7c1e-5d2f-4f0e-9f0b-6c1de8f4a9b2",
    "name": "Bookkeeping",
    "prefix": "bank_k3vq8mzt2d",
    "scopes": ["accounts:read", "transfers:write"],
    "largest_transfer": "5000.00",
    "made_at": "2026-03-02T08:00:00Z",
    "expires_at": "2026-05-31T08:00:00Z",
}


class KeyBody(StrictSerializer):
    """What an API key is to be."""

    name = LineField(longest=60, least=1, help_text="What tells it from your others.")
    scopes = ListField(child=ChoiceField(SCOPES), least=1, most=len(SCOPES))
    largest_transfer = AmountField(
        required=False,
        help_text=f"The most that it sends at once, in {KEYS_CURRENCY} or as much of another "
        "currency; without one it sends nothing.",
    )
    expires_in_days = IntegerField(least=1, most=_MOST_DAYS, required=False, default=_USUAL_DAYS)


class KeyAnswer(Serializer[Any]):
    """An API key, without its secret."""

    id = UuidField()
    name = TextField()
    prefix = TextField(help_text="How it begins.")
    scopes = ListField(child=ChoiceField(SCOPES), most=len(SCOPES))
    largest_transfer = AmountField(required=False, help_text=f"In {KEYS_CURRENCY}.")
    made_at = InstantField()
    expires_at = InstantField()
    last_used_at = InstantField(required=False, help_text="To the hour.")


class NewKeyAnswer(KeyAnswer):
    """An API key that was just made. Nobody sees `key` a second time."""

    key = TextField()


class KeysAnswer(Serializer[Any]):
    """The caller's API keys."""

    keys = KeyAnswer(many=True)


class KeyList(BankView):
    """The caller's API keys."""

    access: ClassVar = {
        "GET": Access(CUSTOMER, EMPLOYEE, ADMIN),
        "POST": Access(CUSTOMER, EMPLOYEE, ADMIN),
    }

    @operation(answer=KeysAnswer, example={"keys": [_KEY]})
    def get(self, request: Request) -> Response:
        """Show your API keys that are not revoked, the newest first."""
        return Response({"keys": [_shown(one) for one in keys_of(caller_pk(request))]})

    @operation(
        body=KeyBody,
        body_example={
            "name": "Bookkeeping",
            "scopes": ["accounts:read", "transfers:write"],
            "largest_transfer": "5000.00",
        },
        answer=NewKeyAnswer,
        example={**_KEY, "key": "bank_k3vq8mzt2d_0Jb1l7nG3tZq9yX5vC2mK8sR4wE6uA1dF0hP7oT3iLg"},
        status=201,
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Make an API key. Its text is shown this once."""
        now = clock.now()
        asked = _key_request(request, now)
        caller = caller_of(request)
        with acting_as(caller, request=request._request):  # noqa: SLF001  # DRF names it so
            key, text = ask_key(
                caller.pk, asked, epoch=caller.epoch, step_up=step_up_of(request), now=now
            )
        return Response({**_shown(key), "key": text}, status=201)


class KeyDetail(BankView):
    """One of the caller's API keys."""

    access: ClassVar = {"DELETE": Access(CUSTOMER, EMPLOYEE, ADMIN)}

    @operation(answer=None, status=204)
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Revoke an API key; it is worth nothing within a second."""
        with acting_as(caller_of(request), request=request._request):  # noqa: SLF001  # DRF names it so
            revoke_key(caller_pk(request), key=key_id, now=clock.now())
        return Response(status=204)


def _key_request(request: Request, now: datetime) -> KeyRequest:
    """Read a request for a key.

    Raises:
        ValidationError, InvalidAmount
    """
    asked = KeyBody.read(request.data)
    most = asked.get("largest_transfer")
    return KeyRequest(
        name=asked["name"],
        scopes=frozenset(asked["scopes"]),
        largest_transfer=None if most is None else _amount(most),
        expires_at=now + timedelta(days=asked["expires_in_days"]),
    )


def _amount(text: str) -> int:
    try:
        return Money.parse(text, KEYS_CURRENCY).minor
    except DomainError as error:
        error.field = "largest_transfer"
        raise


def _shown(key: ApiKey) -> dict[str, Any]:
    return given(
        id=str(key.pk),
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        largest_transfer=decimal_of(key.largest_transfer, KEYS_CURRENCY),
        made_at=instant(key.made_at),
        expires_at=instant(key.expires_at),
        last_used_at=None if key.last_used_at is None else instant(key.last_used_at),
    )
