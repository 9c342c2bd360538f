"""What requests that book money share: how long their memo is, and the answer that goes out."""

from functools import cache
from typing import Any, Final

from django.urls import reverse
from rest_framework.response import Response

from core.api.keys import REPLAYED
from transactions.services import Receipt

LONGEST_MEMO: Final = 140


@cache
def _transfers() -> str:
    return reverse("api-transfers")


def booked(body: dict[str, Any], receipt: Receipt) -> Response:
    """Answer with what was booked, where it is to be found, and whether it was booked before."""
    headers = {"Location": f"{_transfers()}/{receipt.transfer_id}"}
    if receipt.replayed:
        headers[REPLAYED] = "true"
    return Response(body, status=201, headers=headers)
