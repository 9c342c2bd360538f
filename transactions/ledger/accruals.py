"""What customers' accounts earn each day, as the ledger of a node keeps it."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from core.db.errors import Busy
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import fetch_all, fetch_as, fetch_one

# Whoever posts has an answer by then, or is swept up.
PATIENCE_SECONDS: Final = 30.0
_GLANCE_SECONDS: Final = 0.05


class Accrual(NamedTuple):
    """A day on which an account has earned, with its balance in minor units and the yearly rate."""

    day: date
    account: int
    balance: int
    rate_ppm: int


class Due(NamedTuple):
    """What is to be posted to an account, in minor units."""

    account: int
    currency: str
    minor: int


class MonthToPay(NamedTuple):
    """A month by its first day, and how its interest is posted if nobody has done so."""

    month: date
    reference: str
    memo: str
    event_at: datetime


class Posted(NamedTuple):
    """What was posted in a currency, in minor units."""

    currency: str
    postings: int
    minor: int


def wait_for_postings(until: datetime, *, using: str = "default") -> None:
    """Wait for all postings that may have been recorded before a past instant.

    Raises:
        Refused: the instant is not past on the node.
        Busy: a posting takes too long.
    """
    is_past, at_work = fetch_one("postings_under_way", {"until": until}, using)
    if not is_past:
        raise Refused(Code.INSTANT_IN_FUTURE)
    awaited = set(at_work or ())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while awaited:
        if time.monotonic() > deadline:
            message = "Postings were under way all the time; please try again."
            raise Busy(message)
        time.sleep(_GLANCE_SECONDS)
        awaited &= set(fetch_one("postings_under_way", {"until": until}, using).at_work or ())


def accrue(
    day: date,
    *,
    until: datetime,
    rates: Mapping[int, int],
    late: Collection[UUID],
    using: str = "default",
) -> int:
    """Keep what accounts earn for a day, at yearly rates in millionths; return how many have here.

    ``late`` are the moves of accounts to this node that left the other one before ``until``.
    Postings under way must have been waited for.

    Raises:
        Refused: the day is not over on the node.
    """
    parameters = {
        "day": day,
        "until": until,
        "accounts": list(rates),
        "rates": list(rates.values()),
        "late": list(late),
    }
    return int(fetch_one("accrue", parameters, using)[0])


def handed_over(
    *, since: datetime, until: datetime, using: str = "default"
) -> list[tuple[UUID, str]]:
    """Return the moves of accounts that left a node in a span of time, and where they went."""
    parameters = {"since": since, "until": until}
    return [(row.id, row.destination) for row in fetch_all("handed_over", parameters, using)]


def accruals_of(account: int, *, days: Sequence[date], using: str = "default") -> list[Accrual]:
    """Return what an account has earned on a node, of some days."""
    return fetch_as(Accrual, "accruals_of", {"account": account, "days": list(days)}, using)


def accruals_left_behind(*, first: date, last: date, using: str = "default") -> list[Accrual]:
    """Return what accounts that have moved away earned on a node in a span of days."""
    return fetch_as(Accrual, "accruals_left_behind", {"first": first, "last": last}, using)


def keep_accruals(accruals: Sequence[Accrual], *, using: str = "default") -> None:
    """Keep what accounts earned where they lived before; what is kept already stays."""
    parameters = {
        "days": [one.day for one in accruals],
        "accounts": [one.account for one in accruals],
        "balances": [one.balance for one in accruals],
        "rates": [one.rate_ppm for one in accruals],
    }
    fetch_one("keep_accruals", parameters, using)


def interest_due(  # noqa: PLR0913  # a page of it is what these are
    *,
    first: date,
    last: date,
    prefix: str,
    after: int,
    limit: int,
    only: Collection[int] | None = None,
    using: str = "default",
) -> list[Due]:
    """Return the next accounts, by number, to which interest for a span of days is to be posted.

    Posted is what has a reference made of ``prefix`` and the account's number.
    """
    parameters = {
        "first": first,
        "last": last,
        "prefix": prefix,
        "after": after,
        "limit": limit,
        "only": None if only is None else list(only),
    }
    return fetch_as(Due, "interest_due", parameters, using)


def posted_under(prefix: str, *, using: str = "default") -> list[Posted]:
    """Return what the bank posted on a node under references that begin with ``prefix``."""
    return fetch_as(Posted, "posted_under", {"prefix": prefix}, using)


def close_account(  # noqa: PLR0913  # a closing is what these are
    number: int,
    *,
    payout: int | None,
    payout_memo: str,
    expense: int,
    months: Sequence[MonthToPay],
    until: datetime,
    client: int,
    key: str,
    reason: str,
    using: str = "default",
) -> bool:
    """Close an account, post what it has earned and pay that out: all of it, or nothing.

    ``expense`` is the bank's account that pays, ``until`` the end of the bank's day. False: it was
    done before, under the same key.

    Raises:
        Refused: among others, interest is due and ``payout`` is None.
        Busy: the day has turned meanwhile.
    """
    parameters = {
        "number": number,
        "payout": payout,
        "payout_memo": payout_memo,
        "expense": expense,
        "until": until,
        "months": [one.month for one in months],
        "references": [one.reference for one in months],
        "memos": [one.memo for one in months],
        "event_at": [one.event_at for one in months],
        "client": client,
        "key": key,
        "reason": reason,
    }
    return bool(fetch_one("close_account", parameters, using)[0])
