"""The first account of those who joined: a current account at their branch, with nothing in it.

It is opened when their registration is confirmed; where the branch does not answer, or the process
dies, `manage.py watch` opens it. Under its key it is opened once.
"""

from datetime import datetime
from typing import Any, Final

import psycopg
import structlog
from django.db import DatabaseError

from accounts.models import Product, Registration
from core.errors import DomainError
from transactions.governing import AccountRequest, open_customer_account
from transactions.ledger.posting import BANK_CLIENT

CURRENCY: Final = "INR"
_SILENCE: Final = (DomainError, DatabaseError, psycopg.Error)

_log = structlog.get_logger(__name__)


def open_waiting_accounts(*, now: datetime) -> int:
    """Open the first accounts of all whose registration is confirmed; return how many were opened.

    Who is suspended waits. No transaction may be open. Of those at a branch that is down, only one
    is tried.
    """
    waiting = Registration.objects.filter(
        confirmed_at__isnull=False, account__isnull=True, person__is_active=True
    )
    opened = 0
    down: set[int] = set()
    for registration in waiting.select_related("person", "branch").order_by("confirmed_at"):
        if registration.branch_id in down:
            continue
        if _open_first_account(registration, now=now):
            opened += 1
        else:
            down.add(registration.branch_id)
    return opened


def on_registration_confirmed(*, person: int, now: datetime, **_others: Any) -> None:
    """Open the first account of a person at once, if the branch listens."""
    registration = Registration.objects.select_related("person", "branch").get(pk=person)
    _open_first_account(registration, now=now)


def _open_first_account(registration: Registration, *, now: datetime) -> bool:
    """Open a person's first account; False when that is left to the next try."""
    request = AccountRequest(
        owner=registration.person,
        branch=registration.branch,
        product=Product.CURRENT,
        currency=CURRENCY,
        client=BANK_CLIENT,
        key=f"first-account:{registration.pk}",
    )
    try:
        account = open_customer_account(request, now=now)
    except _SILENCE as error:
        reason = " ".join(str(error).split())
        _log.warning("first_account_postponed", person=registration.pk, error=reason)
        return False
    Registration.objects.filter(pk=registration.pk).update(account=account)
    return True
