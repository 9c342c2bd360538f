"""New payees cool off: for a day, an account of whoever added one pays it only so much.

Whoever takes over a session thus gets no more out of it than out of a stolen card. The ledger
holds the limits; the head office knows which to set and when to lift them, and nobody else sets
limits for payees.
"""

from datetime import datetime, timedelta
from typing import Final

import psycopg
import structlog
from django.db import DatabaseError, transaction

from accounts.models import AccountStatus, Holding
from core.errors import DomainError
from core.money import Money
from transactions.branches.registry import node_of
from transactions.branches.rounds import SILENCE, reachable
from transactions.cash import daily_at_machine
from transactions.governing import limit_payee
from transactions.ledger.codes import Refused
from transactions.ledger.posting import BANK_CLIENT
from transactions.payments.models import Payee, PayeeCooling

COOLING_OFF: Final = timedelta(hours=24)
_MOST_AT_ONCE: Final = 200

_log = structlog.get_logger(__name__)


def cooling_limit(currency: str) -> Money:
    """Return what an account pays a new payee in a day at most."""
    return daily_at_machine(currency)


def begin_cooling(payee: Payee, *, now: datetime) -> None:
    """Note which accounts are to pay a new payee only so much; one's own account needs none.

    Needs the transaction in which the payee is added.
    """
    mine = Holding.objects.filter(user_id=payee.user_id)
    if mine.filter(account=payee.account).exists():
        return
    payers = mine.filter(account__currency=payee.currency).exclude(
        account__status=AccountStatus.CLOSED
    )
    PayeeCooling.objects.bulk_create(
        [
            PayeeCooling(
                account=account,
                payee=payee.account,
                daily_limit=cooling_limit(payee.currency).minor,
                until=now + COOLING_OFF,
            )
            for account in payers.values_list("account", flat=True)
        ],
        ignore_conflicts=True,
    )


def cooling_until(payees: list[Payee], *, now: datetime) -> dict[int, datetime]:
    """Return until when a person's payees cool off, by account; without those that do not."""
    of_person = {payee.user_id for payee in payees}
    payers = Holding.objects.filter(user__in=of_person).values("account")
    found = PayeeCooling.objects.filter(
        payee__in=[payee.account for payee in payees], account__in=payers, until__gt=now
    )
    return {cooling.payee: cooling.until for cooling in found.order_by("until")}


def keep_cooling(*, now: datetime, payee: int | None = None) -> None:
    """Set the limits that are to be set and lift those whose time has come, of one payee or all.

    Each under a lock of its own. What a branch does not answer is done the next time, and keeps
    those of other branches no longer waiting than its first one does.
    """
    to_do = PayeeCooling.objects.filter(is_set=False) | PayeeCooling.objects.filter(until__lte=now)
    if payee is not None:
        to_do = to_do.filter(payee=payee)
    silent: set[str] = set()
    due = reachable(
        to_do,
        by="until",
        accounts=lambda cooling: [cooling.account],
        silent=silent,
        most=_MOST_AT_ONCE,
    )
    for cooling in due:
        try:
            with transaction.atomic():
                _keep(cooling.pk, now)
        except Refused:
            # The account is closed: it pays nobody.
            PayeeCooling.objects.filter(pk=cooling.pk).delete()
        except (DomainError, DatabaseError, psycopg.Error) as error:
            reason = " ".join(str(error).split())
            _log.warning("payee_cooling_postponed", cooling=cooling.pk, error=reason)
            if isinstance(error, SILENCE):
                silent.add(node_of(cooling.account))


def _keep(pk: int, now: datetime) -> None:
    cooling = PayeeCooling.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if cooling is None:
        return
    is_over = cooling.until <= now
    limit_payee(
        cooling.account,
        payee=cooling.payee,
        daily_limit=None if is_over else cooling.daily_limit,
        client=BANK_CLIENT,
        reason="The new payee has cooled off." if is_over else "A new payee cools off.",
    )
    if is_over:
        cooling.delete()
    else:
        cooling.is_set = True
        cooling.save(update_fields=["is_set"])
