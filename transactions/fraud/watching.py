"""Looking at what happened: payments by the nodes' journals, log-ins by their history.

Celery does it, so money never waits for it; with Celery down, the tails and the instant until which
log-ins were looked at wait, and nothing is missed. Alerts are committed at the head office before a
node's tail moves on: whoever dies in between finds them again, and each is raised once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from django.db import DatabaseError, connections, transaction

from accounts.models import LogIn, LogInResult
from core.db.errors import Busy
from core.db.sql import queries
from core.errors import DomainError
from transactions.branches.registry import has_moved, nodes
from transactions.fraud import bounds
from transactions.fraud.course import CASH, Course, Movement
from transactions.fraud.findings import Finding
from transactions.fraud.locations import BadLocations, Locations, locations
from transactions.fraud.log_ins import SeenLogIn, improbable_travel
from transactions.fraud.models import LogInsWatched
from transactions.fraud.raising import raise_alerts
from transactions.fraud.rules import findings_on
from transactions.ledger.connection import ledger_cursor
from transactions.ledger.posting import Channel, Kind
from transactions.ledger.tailer import TailedTransfer, tailed

READER: Final = "fraud"
_SPENDING: Final = frozenset({Kind.TRANSFER, Kind.PAYMENT, Kind.CARD, Kind.WITHDRAWAL})
_NOBODYS: Final = frozenset({Channel.BANK, Channel.IMPORT})
"""Channels by which nobody pays at this moment: standing orders, the bank's own, histories."""
_PAGE: Final = 500
_ACCOUNTS: Final = 100
_MOVEMENTS: Final = 200
# What happened longer ago is no news: a bank that is upgraded reads its whole journal once.
_NEWS: Final = timedelta(days=7)
# Log-ins are committed in another order than their times'; what is seen twice is raised once.
_LATE: Final = timedelta(minutes=1)
_LOG_INS: Final = 1_000
_LOG_INS_BEFORE: Final = 50
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "watching.sql")
_log = structlog.get_logger(__name__)


def watch_all(*, now: datetime, seconds: float) -> int:
    """Look at what is new, for so many seconds at most; return how many alerts were raised.

    Opens its own transactions. A node that does not answer is logged, and has its turn again. What
    waits at one takes no time from the others.
    """
    raised = 0
    watched = nodes()
    for node in watched:
        until = monotonic() + seconds / len(watched)
        try:
            raised += _watch_node(node, now=now, until=until)
        except (DatabaseError, psycopg.Error, Busy, DomainError) as error:
            _log.warning("fraud_not_watched", node=node, error=" ".join(str(error).split()))
            connections[node].close()
    return raised + watch_log_ins(now=now)


def _watch_node(node: str, *, now: datetime, until: float) -> int:
    raised = 0
    while monotonic() < until:
        read, found = watch_page(node=node, now=now)
        raised += found
        if read < _PAGE:
            break
    return raised


def watch_page(*, node: str, now: datetime) -> tuple[int, int]:
    """Look at the next postings of a node; return how many, and how many alerts were raised.

    Opens two transactions on the node, in which the tail is locked; another watcher waits.
    """
    with tailed(READER, limit=_PAGE, using=node) as transfers:
        since = now - _NEWS
        new = [one for one in transfers if _is_looked_at(one) and _recorded_at(one) > since]
        raised = raise_alerts(list(_findings_in(new, node, now)), now=now) if new else 0
    return len(transfers), raised


def watch_log_ins(*, now: datetime) -> int:
    """Look at the log-ins since the last time; return how many alerts were raised."""
    with transaction.atomic():
        start = {"until": now - _NEWS}
        LogInsWatched.objects.get_or_create(pk=1, defaults=start)
        watched = LogInsWatched.objects.select_for_update().get(pk=1)
        new = LogIn.objects.filter(
            at__gt=watched.until - _LATE, result=LogInResult.SUCCEEDED, person__isnull=False
        ).order_by("pk")
        raised = raise_alerts(list(_travels(new.iterator(_LOG_INS))), now=now)
        LogInsWatched.objects.filter(pk=1).update(until=now)
    return raised


def _is_looked_at(transfer: TailedTransfer) -> bool:
    is_cash_in = transfer.kind in CASH and transfer.channel in {Channel.TELLER, Channel.MACHINE}
    return transfer.channel not in _NOBODYS and (transfer.kind in _SPENDING or is_cash_in)


def _recorded_at(transfer: TailedTransfer) -> datetime:
    return datetime.fromtimestamp((transfer.transfer_id.int >> 80) / 1000, UTC)


def _findings_in(
    transfers: Sequence[TailedTransfer], node: str, now: datetime
) -> Iterator[Finding]:
    new = frozenset(one.transfer_id for one in transfers)
    touched = sorted({one.credit if one.kind == Kind.DEPOSIT else one.debit for one in transfers})
    for first in range(0, len(touched), _ACCOUNTS):
        for course in _courses(touched[first : first + _ACCOUNTS], node, now):
            yield from findings_on(course, new=new)


def _courses(accounts: Sequence[int], node: str, now: datetime) -> Iterator[Course]:
    rows = _rows_of(accounts, node, now)
    moved = [account for account in accounts if has_moved(account)]
    elsewhere = _moved_elsewhere(moved, node, now) if moved else {}
    for account, mine in groupby(rows, key=attrgetter("account")):
        found = list(mine)
        movements = [*elsewhere.get(account, ()), *map(_movement, found)]
        yield Course(
            account=account,
            currency=found[0].currency,
            movements=sorted(movements, key=attrgetter("id")),
            own=frozenset(found[0].own),
        )


def _moved_elsewhere(
    accounts: Sequence[int], here: str, now: datetime
) -> Mapping[int, list[Movement]]:
    """Return what moved on accounts where they lived before.

    What a node does not tell now is left out: no payment waits for it to be looked at.
    """
    found: dict[int, list[Movement]] = defaultdict(list)
    for node in nodes():
        if node == here:
            continue
        try:
            rows = _rows_of(accounts, node, now)
        except (DatabaseError, psycopg.Error, Busy) as error:
            _log.warning("fraud_history_missing", node=node, error=" ".join(str(error).split()))
            connections[node].close()
            continue
        for row in rows:
            found[row.account].append(_movement(row))
    return found


def _rows_of(accounts: Sequence[int], node: str, now: datetime) -> list[Any]:
    asked: dict[str, Any] = {
        "accounts": list(accounts),
        "spending": sorted(_SPENDING),
        "most": _MOVEMENTS,
        "since": now - _NEWS - bounds.STRUCTURING_WINDOW,
    }
    with ledger_cursor(node) as cursor:
        return cursor.execute(_QUERIES["courses"], asked, prepare=True).fetchall()


def _movement(row: Any) -> Movement:
    return Movement(
        id=UUID(int=row.id.int),
        at=row.at,
        is_out=row.is_out,
        amount=row.amount,
        after=row.after,
        other=row.other,
        kind=row.kind,
        channel=row.channel,
    )


def _travels(new: Iterable[LogIn]) -> Iterator[Finding]:
    places = _known_places()
    for log_in in new:
        before = LogIn.objects.filter(
            person=log_in.person_id, pk__lt=log_in.pk, result=LogInResult.SUCCEEDED
        )
        earlier = [_seen(one, places) for one in before.order_by("-pk")[:_LOG_INS_BEFORE]]
        found = improbable_travel(_seen(log_in, places), earlier)
        if found is not None:
            yield found


def _known_places() -> Locations:
    """Return the places of addresses; with a file that is broken, none, so that devices count."""
    try:
        return locations()
    except BadLocations as error:
        _log.exception("locations_not_read", error=str(error))
        return Locations({})


def _seen(row: LogIn, places: Locations) -> SeenLogIn:
    return SeenLogIn(
        id=row.pk,
        person=int(row.person_id or 0),
        at=row.at,
        address=row.address,
        device=row.device,
        place=places.of(row.address),
    )
