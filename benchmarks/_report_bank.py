"""A bank for the reports' benchmark, and what is measured in processes of their own.

Run as a program; the first word says what to do, and what came of it is printed as JSON.

    open            open accounts, with money in them
    fill N          let N transfers happen; one of the accounts has six months of every tenth
    measure N       draw its picture and make the month's report, N times
    transfers       post transfers, one after the other, until the standard input ends
    burst N         let N transfers happen that somebody wants to be told of
    drain N S       tell of them, as watch and worker do, until N mails have left, at most S seconds
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import django

from accounts.numbers import account_number

_AT_ONCE: Final = 10_000
_CUSTOMERS: Final = [account_number(branch=100, serial=serial) for serial in range(1, 201)]
_TOLD: Final = account_number(branch=100, serial=1_000)
_DAYS: Final = 180
_RICH: Final = 10**12
_LOOK_SECONDS: Final = 1.0
_SEND_SECONDS: Final = 2.0
"""How often beat lets the worker send."""


def open_bank() -> dict[str, int]:
    """Open accounts, and pay money in."""
    from core.money import Money
    from transactions.chart import Place, open_chart
    from transactions.ledger.posting import Kind, Transfer, post_batch

    person = _person()
    vault = open_chart(branch=100, currency="INR").number(Place.VAULT)
    _open(person, [*_CUSTOMERS, _TOLD])
    money = Money(_RICH, "INR")
    post_batch(
        [Transfer(vault, one, money, Kind.DEPOSIT) for one in [*_CUSTOMERS, _TOLD]], order=_order()
    )
    return {"accounts": len(_CUSTOMERS)}


def fill(count: int) -> dict[str, int]:
    """Let transfers happen between the accounts; the first has every tenth of them."""
    from core import clock
    from core.money import Money
    from transactions.ledger.posting import Transfer, post_batch

    now = clock.now()

    def transfer(which: int) -> Any:
        debit = 0 if which % 10 == 0 else 1 + which % 199
        credit = 1 + (which + 7) % 199
        credit = credit if credit != debit else 1 + credit % 199
        at = now - timedelta(days=_DAYS) * (1 - which / count)
        money = Money(100 + which % 9_000, "INR")
        return Transfer(_CUSTOMERS[debit], _CUSTOMERS[credit], money, event_at=at)

    for first in range(0, count, _AT_ONCE):
        several = range(first, min(first + _AT_ONCE, count))
        post_batch([transfer(which) for which in several], order=_order())
    return {"transfers": count}


def measure(rounds: int) -> dict[str, float]:
    """Draw the picture and make the report, warm; seconds, and the most memory, in megabytes."""
    import resource

    from accounts.models import User
    from core import clock
    from portals.reports import monthly, paper
    from portals.reports.charts import account_chart
    from transactions.reporting.account_days import account_days, period_of
    from transactions.reporting.month import Month

    user = User.objects.get(email="asha@example.org").pk
    month = Month(clock.bank_day(clock.now()).replace(day=1))
    # What was booked was booked this month: it is looked back at from the next one.
    later = month.until + timedelta(hours=6)

    def chart() -> None:
        period = period_of(None, None, now=clock.now())
        account_chart(account_days(user, number=_CUSTOMERS[0], period=period), "png")

    def report() -> None:
        paper.report_as_pdf(monthly.new_report(month, now=later))

    chart()
    found = {
        "chart_s": _median_of(chart, rounds),
        "monthly_report_s": _median_of(report, rounds),
    }
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**found, "report_memory_mb": round(most / 1024)}


def transfers() -> dict[str, float]:
    """Post transfers one by one until whoever began it has had enough."""
    from core.money import Money
    from transactions.ledger.posting import Transfer, post

    enough = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        enough.set()

    threading.Thread(target=wait, daemon=True).start()

    def transfer(which: int) -> None:
        one, other = _CUSTOMERS[10 + which % 100], _CUSTOMERS[11 + which % 100]
        post(Transfer(one, other, Money(1, "INR")), order=_order())

    transfer(0)
    print("begun", flush=True)
    count, began = 0, time.monotonic()
    while not enough.is_set():
        transfer(count)
        count += 1
    return {"per_second": count / (time.monotonic() - began)}


def burst(events: int) -> dict[str, int]:
    """Let transfers happen whose payer is told of each."""
    from accounts.models import User
    from core.money import Money
    from notifications.notices.models import NoticeKind
    from notifications.notices.preferences import Wish, keep_wishes
    from transactions.ledger.posting import Transfer, post_batch

    user = User.objects.get(email="asha@example.org").pk
    keep_wishes(user, {NoticeKind.MONEY_OUT: Wish(email=True, inbox=True, threshold=20_00)})
    several = [Transfer(_TOLD, _CUSTOMERS[1], Money(25_00, "INR")) for _event in range(events)]
    for first in range(0, events, _AT_ONCE):
        post_batch(several[first : first + _AT_ONCE], order=_order())
    return {"events": events}


def drain(events: int, most_seconds: int) -> dict[str, float]:
    """Feed what happened and send what comes of it until so many mails have left in all."""
    from core import clock
    from notifications.messages.models import Channel, Message, MessageState
    from notifications.messages.sending import send_due
    from transactions.events import feed_events

    left = Message.objects.filter(state=MessageState.SENT)
    before, sent_at = left.count(), 0.0
    print("begun", flush=True)
    began = time.monotonic()
    while left.count() < events and time.monotonic() - began < most_seconds:
        if time.monotonic() - sent_at >= _SEND_SECONDS:
            sent_at = time.monotonic()
            send_due(Channel.EMAIL, clock=clock.now)
        feed_events(node="default", now=clock.now())
        time.sleep(_LOOK_SECONDS)
    return {"sent": left.count() - before, "seconds": time.monotonic() - began}


def _median_of(work: Callable[[], None], rounds: int) -> float:
    took = []
    for _round in range(rounds):
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)
    return round(statistics.median(took), 3)


def _person() -> Any:
    from accounts.models import Role
    from accounts.services import add_person

    return add_person(
        email="asha@example.org",
        full_name="Asha Rao",
        role=Role.CUSTOMER,
        password_hash="!",  # noqa: S106  # nobody logs in with one
        external_reference=None,
    )


def _open(person: Any, numbers: list[int]) -> None:
    from transactions.ledger.accounts import Holder, Opening, Purpose, open_accounts, set_holders
    from transactions.ledger.posting import BANK_CLIENT

    openings = [Opening(number=one, currency="INR", purpose=Purpose.CUSTOMER) for one in numbers]
    open_accounts(openings, client=BANK_CLIENT)
    mine = [Holder(account=one, user=person.pk, rights="owner") for one in (numbers[0], _TOLD)]
    set_holders(mine, client=BANK_CLIENT)


def _order() -> Any:
    from core.clock import bank_day, now
    from transactions.ledger.posting import BANK_CLIENT, Channel, Order

    return Order(client=BANK_CLIENT, channel=Channel.BANK, day=bank_day(now()), key=None)


def main() -> None:
    """Do what the command line says."""
    what, *words = sys.argv[1:]
    numbers = [int(word) for word in words]
    works: dict[str, Callable[..., Any]] = {
        "open": open_bank,
        "fill": fill,
        "measure": measure,
        "transfers": transfers,
        "burst": burst,
        "drain": drain,
    }
    print(json.dumps(works[what](*numbers)))


if __name__ == "__main__":
    django.setup()
    main()
