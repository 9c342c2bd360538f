"""One customer of the workload: sends money, looks at the books, and notes what it is told.

Django must be set up.
"""

import random
import threading
import time
from collections import defaultdict, deque
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, connections

from core.clock import now
from core.db.reading import positions_now, reading
from core.errors import DomainError
from core.money import Money
from tests.faults._books import read_view
from tests.faults._history import Outcome, Reading, Statement
from tests.faults._nodes import BRANCHES
from tests.faults._notes import Notes
from tests.faults._opening import HOMES
from transactions.branches.outcomes import OutcomeUnknown
from transactions.branches.position import cut
from transactions.services import Channel, TransferRequest, transfer_funds
from transactions.statements.pages import statement

_NO_ANSWER: Final = (DatabaseError, InterfaceError, psycopg.Error)
_LARGEST: Final = 5
_PAGE: Final = 1_000
_OFTEN: Final = (60, 25, 5, 10)
_REMEMBERS: Final = 5
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
        self._paid: defaultdict[int, deque[str]] = defaultdict(lambda: deque(maxlen=_REMEMBERS))
        self._token: dict[str, int] = {}

    def act(self) -> None:
        """Do one thing, send money mostly or look, and think a little."""
        acts = (self.send_somewhere, self.look, self.look_exactly, self.look_at_own)
        (act,) = self._dice.choices(acts, _OFTEN)
        act()
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
        outcome = self._ask(request)
        for _ in range(_TRIES if outcome is Outcome.INFO else 0):
            time.sleep(self._dice.uniform(0.05, 0.3))
            if self._ask(request) is Outcome.OK:
                outcome = Outcome.OK
                break
        self._notes.answered(key, outcome)
        if outcome is Outcome.OK:
            self._paid[debit].append(key)
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

    def look_exactly(self) -> None:
        """Read every node behind the bank's barrier, if it can be had just now."""
        try:
            with cut() as snapshots:
                views = tuple(
                    read_view(snapshot.cursor(), node=node) for node, snapshot in snapshots.items()
                )
        except (DomainError, *_NO_ANSWER):
            return
        self._notes.read(Reading(views=views, is_exact=True))

    def look_at_own(self) -> None:
        """Read the statement of an account, with the token of what was sent from it."""
        if not self._paid:
            return
        number = self._dice.choice(sorted(self._paid))
        owed = frozenset(self._paid[number])
        try:
            with reading(may_use_replica=True, positions=self._token) as current:
                shown = statement(self._user, number=number, before=None, limit=_PAGE)
        except (DomainError, *_NO_ANSWER):
            connections.close_all()
            return
        seen = owed & {movement.memo for movement in shown.movements}
        is_copy = current.as_of is not None
        self._notes.shown(Statement(owed=owed, seen=seen, is_copy=is_copy))

    def _ask(self, request: TransferRequest) -> Outcome:
        """Ask the bank once. Its own errors, but one, promise that nothing was moved."""
        try:
            with reading(may_use_replica=False, positions={}) as current:
                transfer_funds(request, now=now())
        except (OutcomeUnknown, *_NO_ANSWER):
            connections.close_all()
            return Outcome.INFO
        except DomainError:
            connections.close_all()
            return Outcome.FAIL
        self._token |= positions_now(current.used)
        return Outcome.OK
