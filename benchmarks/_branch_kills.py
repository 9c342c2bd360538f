"""Coordinators that are killed between two nodes, and how long their transfers are in doubt.

Words: source, destination, kills. Prints a JSON list of seconds from each death until the prepared
transaction is gone and both legs agree. One after the other, so that what is in doubt between the
two nodes is the last one's. Each is forked from here, ready to send.
"""

import json
import os
import random
import signal
import sys
import time
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import django
import psycopg

django.setup()

from benchmarks._branch_bank import first_account  # noqa: E402  # needs Django set up
from core.clock import now  # noqa: E402  # as above
from core.money import Money  # noqa: E402  # as above
from transactions.branches import commitment  # noqa: E402  # as above
from transactions.branches.directory import connect  # noqa: E402  # as above
from transactions.ledger.posting import Channel  # noqa: E402  # as above
from transactions.services import TransferRequest, transfer_funds  # noqa: E402  # as above

STEPS: Final = ("prepared", "decided")
_GIVE_UP_SECONDS: Final = 30.0
_IN_DOUBT: Final = (
    "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE %s"
)
_DECIDED: Final = """
SELECT count(*) FROM ledger.decision AS d JOIN ledger.journal AS j ON j.id = d.transfer_id
WHERE d.id = %s AND d.state = 'committed'
"""
_ARRIVED: Final = """
SELECT count(*) FROM ledger.arrival AS a JOIN ledger.journal AS j ON j.id = a.transfer_id
WHERE a.id = %s
"""


def main() -> None:
    """Kill coordinators, at the one and the other step in turn."""
    source, destination, kills = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seconds = []
    with connect(source) as at_source, connect(destination) as at_destination:
        for turn in range(kills):
            # The sweep comes every second: not always at the same moment of it.
            time.sleep(random.random())
            died_at = _killed(source, destination, step=STEPS[turn % len(STEPS)])
            crossing = _in_doubt(at_destination, source, destination)
            _wait_until_settled(at_source, at_destination, crossing, step=STEPS[turn % 2])
            seconds.append(time.monotonic() - died_at)
    print(json.dumps(seconds))


def _killed(source: str, destination: str, *, step: str) -> float:
    """Let a process of its own die at a step of a transfer, and return the instant."""
    pid = os.fork()
    if pid == 0:
        commitment.on_step = partial(_die, at=step)
        request = TransferRequest(
            user=1,
            key=str(uuid4()),
            channel=Channel.API,
            debit=first_account(source) + random.randrange(1, 2_000),
            credit=first_account(destination) + random.randrange(1, 2_000),
            amount=Money(1, "INR"),
        )
        try:
            transfer_funds(request, now=now())
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    died_at = time.monotonic()
    if not os.WIFSIGNALED(status):
        message = f"a coordinator did not come to the step {step}"
        raise RuntimeError(message)
    return died_at


def _die(step: str, *, at: str) -> None:
    if step == at:
        os.kill(os.getpid(), signal.SIGKILL)


def _in_doubt(at_destination: psycopg.Connection, source: str, destination: str) -> UUID:
    """Return the crossing that the dead coordinator has left prepared."""
    pattern = f"bank:v1:{source}:{destination}:%"
    ((gid,),) = at_destination.execute(_IN_DOUBT, [pattern]).fetchall()
    return UUID(gid.split(":")[4])


def _wait_until_settled(
    at_source: psycopg.Connection,
    at_destination: psycopg.Connection,
    crossing: UUID,
    *,
    step: str,
) -> None:
    """Return when it is in doubt no more.

    Raises:
        RuntimeError: it ended against its decision, or not at all.
    """
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while at_destination.execute(_IN_DOUBT, [f"%:{crossing}:%"]).fetchone() is not None:
        if time.monotonic() > deadline:
            message = f"{crossing} is in doubt for {_GIVE_UP_SECONDS} s"
            raise RuntimeError(message)
        time.sleep(0.005)
    legs = (
        at_source.execute(_DECIDED, [crossing]).fetchone(),
        at_destination.execute(_ARRIVED, [crossing]).fetchone(),
    )
    due = (1,) if step == "decided" else (0,)
    if legs != (due, due):
        message = f"{crossing} died at {step} and has legs {legs}"
        raise RuntimeError(message)


if __name__ == "__main__":
    main()
