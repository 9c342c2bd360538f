"""Paying into accounts that take payments in a way of their own, as apps above say."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from core.errors import DomainError
from transactions.services import TransferRequest, transfer_funds

Taker = Callable[[TransferRequest, datetime], UUID | None]
"""Takes a payment and returns the transfer's id, or None where the payee is none of its own."""

_takers: Final[list[Taker]] = []


class PayeeDone(DomainError):
    """A payee takes nothing more, ever: what would be paid again and again ends."""

    code = "payee_done"
    http_status = 409


def also_taken_by(taker: Taker) -> None:
    """Have what is left with the bank for some payees taken by an app above."""
    _takers.append(taker)


def pay_in(request: TransferRequest, *, now: datetime) -> UUID:
    """Pay what was left with the bank as its payee takes it, and return the transfer's id.

    Raises:
        as ``transfer_funds``, and what the payee's app refuses it for
    """
    for taker in _takers:
        taken = taker(request, now)
        if taken is not None:
            return taken
    return transfer_funds(request, now=now).transfer_id
