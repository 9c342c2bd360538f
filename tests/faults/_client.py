"""One customer of the workload: sends money, looks at the books, and notes what it is told.

Django must be set up.
"""

import random
import threading
import time
from collections import defaultdict
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, connections

from core.clock import now
from core.errors import DomainError
from core.money import Money
from tests.faults._books import read_view
from tests.faults._history import Outcome, Reading, Statement
from tests.faults._nodes import BRANCHES
from tests.faults._notes import Notes
from tests.faults._opening import HOMES
from transactions.branches.outcomes import OutcomeUnknown
from transactions.ledger.reads import entries
from transactions.services import Channel, TransferRequest, transfer_funds

_NO_ANSWER: Final = (DatabaseError, InterfaceError, psycopg.Error)
_LARGEST: Final = 5
_TRIES: Final = 3
_THINKS_SECONDS: Final = 0.06


class Client:
    """Acts on accounts that all clients share; its idempotency keys are its own."""

    def __init__(self, *, name: str, user: int, seed: str, notes: Notes) -> None:
        """Prepare the dice."""
        self.turn = threading.Lock()
        self._name = name
        self._user = user
        self._dice = random.Random(seed)
        self._notes = notes
        self._serial = 0
        self._paid: defaultdict[int, set[str]] = defaultdict(set)

    def act(self) -> None:
        """Do one thing, send money mostly or look, and think a little."""
        what = self._dice.choices((self.send_somewhere, self.look, self.look_at_own), (6, 3, 1))
        what[0]()
        time.sleep(self._dice.uniform(0, _THINKS_SECONDS))

    def send_somewhere(self) -> None:
        """Send a little money from any account to any other."""
        debit, credit = self._dice.sample(list(HOMES), 2)
        self._serial += 1
        key = f"{self._name}-{self._serial}"
        self.send(key=key, debit=debit, credit=credit, amount=self._dice.randint(1, _LARGEST))

    def send(self, *, key: str, debit: int, credit: int, amount: int) -> Outcome:
        """Send money, again under the same key when no answer came; note how it ended.

        Once an answer is missing only a receipt tells more: a refusal may be of the second try.
        """
        self._notes.asked(key=key, debit=debit, credit=credit, amount=amount)
        request = TransferRequest(
            user=self._user,
            key=key,
            channel=Channel.API,
            debit=debit,
            credit=credit,
            amount=Money(amount, "INR"),
            memo=key,
        )
        outcome = _ask(request)
        for _ in range(_TRIES if outcome is Outcome.INFO else 0):
            time.sleep(self._dice.uniform(0.05, 0.3))
            if _ask(request) is Outcome.OK:
                outcome = Outcome.OK
                break
        self._notes.answered(key, outcome)
        if outcome is Outcome.OK:
            self._paid[debit].add(key)
        return outcome

    def look(self) -> None:
        """Read every node, one after the other; those that do not answer are left out."""
        views = []
        for node in BRANCHES:
            try:
                with connections[node].cursor() as cursor:
                    views.append(read_view(cursor, node=node))
            except _NO_ANSWER:
                connections.close_all()
        self._notes.read(Reading(views=tuple(views)))

    def look_at_own(self) -> None:
        """Read the movements of an account from which money was sent."""
        if not self._paid:
            return
        number = self._dice.choice(sorted(self._paid))
        owed = frozenset(self._paid[number])
        try:
            found = entries(number, limit=10_000, using=HOMES[number])
        except (DomainError, *_NO_ANSWER):
            connections.close_all()
            return
        seen = frozenset(entry.memo or "" for entry in found)
        self._notes.shown(Statement(owed=owed, seen=seen & owed))


def _ask(request: TransferRequest) -> Outcome:
    """Ask the bank once. Its own errors, but one, promise that nothing was moved."""
    try:
        transfer_funds(request, now=now())
    except (OutcomeUnknown, *_NO_ANSWER):
        connections.close_all()
        return Outcome.INFO
    except DomainError:
        connections.close_all()
        return Outcome.FAIL
    return Outcome.OK
