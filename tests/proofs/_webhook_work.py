"""People with endpoints, and money that moves between their accounts: a process of the proof.

    python -m tests.proofs._webhook_work ADDRESS POSTINGS SECONDS SEED

Prints each person's secret, then works.
"""

import json
import random
import sys
import time
from datetime import timedelta
from uuid import uuid4

import django

PEOPLE = 6
OPENING = 1_000_000


def main() -> None:
    """Do what the command line says."""
    django.setup()
    address, postings, seconds, seed = sys.argv[1:]
    accounts = _open(address)
    _work(accounts, int(postings), float(seconds), random.Random(int(seed)))


def _open(address: str) -> list[int]:
    """Open two accounts for each person, and register their endpoints first."""
    from accounts.models import User
    from core.clock import now
    from notifications.webhooks.endpoints import register_endpoint
    from notifications.webhooks.models import EventType
    from tests.factories import account

    secrets, accounts = {}, []
    for _each in range(PEOPLE):
        # Without a password, whose hashing would take a while.
        owner = User.objects.create_user(f"{uuid4()}@example.org", None, full_name="Asha Rao")
        url = f"{address}/{owner.pk}"
        new = register_endpoint(owner.pk, url=url, event_types=tuple(EventType), now=now())
        secrets[owner.pk] = new.secret
        accounts += [account(balance=OPENING, owner=owner) for _twice in range(2)]
    sys.stdout.write(json.dumps(secrets) + "\n")
    sys.stdout.flush()
    return accounts


def _work(accounts: list[int], postings: int, seconds: float, dice: random.Random) -> None:
    """Move money, or set it aside and end that, evenly over the time."""
    started = time.monotonic()
    for turn in range(postings):
        payer, payee = dice.sample(accounts, 2)
        if dice.random() < 0.1:
            _hold(payer, payee, dice)
        else:
            _send(payer, payee)
        time.sleep(max(started + seconds * turn / postings - time.monotonic(), 0.0))


def _send(payer: int, payee: int) -> None:
    from tests.factories import inr, order
    from transactions.ledger.posting import Transfer, post

    post(Transfer(payer, payee, inr(1)), order=order())


def _hold(payer: int, payee: int, dice: random.Random) -> None:
    from core.clock import now
    from tests.factories import inr, order
    from transactions.ledger.posting import capture, hold, release

    until = now() + timedelta(hours=1)
    held = hold(account=payer, payee=payee, amount=inr(2), expires_at=until, order=order()).hold_id
    if dice.random() < 0.5:
        capture(held, minor=1, order=order())
    else:
        release(held, order=order())


if __name__ == "__main__":
    main()
