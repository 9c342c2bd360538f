"""Who holds an account of the caller's."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.fields import UserIdField
from accounts.models import Rights
from core.api.access import CUSTOMER, Access
from core.api.representation import given
from core.api.schema import operation
from core.api.serializers import ChoiceField, TextField
from core.api.views import BankView, caller_pk
from transactions.api.accounts import known_account_number
from transactions.holders import HolderView, holders_of_account


class CoHolderAnswer(Serializer[Any]):
    """Somebody who holds the account."""

    user_id = UserIdField(required=False)
    full_name = TextField(required=False)
    rights = ChoiceField(Rights.values)


class CoHoldersAnswer(Serializer[Any]):
    """All who hold the account, owners first."""

    holders = CoHolderAnswer(many=True)


class AccountHolders(BankView):
    """Who holds an account."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}

    @operation(
        answer=CoHoldersAnswer,
        example={
            "holders": [
                {"user_id": "20100000017", "full_name": "Asha Rao", "rights": "owner"},
                {"user_id": "20100000025", "full_name": "Priya Nair", "rights": "authorised"},
            ]
        },
    )
    def get(self, request: Request, number: str) -> Response:
        """List who holds an account of yours, owners first, and what they may do."""
        found = holders_of_account(caller_pk(request), number=known_account_number(number))
        return Response({"holders": [_holder(one) for one in found]})


def _holder(holder: HolderView) -> dict[str, Any]:
    return given(
        user_id=None if holder.user_id is None else str(holder.user_id),
        full_name=holder.full_name or None,
        rights=holder.rights,
    )
