"""Accounts that move whatever happens meanwhile."""

import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import psycopg
import pytest
from django.db import connections

from core.db.errors import Busy
from tests.branches import DEL, MUM, Branches
from tests.integration.branches.moves import NODES, findings, held_by, move, pay, told
from tests.integration.branches.test_crossing import account_at, balance_of, in_doubt
from transactions.branches import recovery
from transactions.branches.moving import spread_moves
from transactions.ledger.codes import Refused


class TestUnrest:
    """Moves among payments, and movers that die."""

    def test_loses_nothing_while_sixteen_pay_and_are_paid(
        self, traveller: int, branches: Branches
    ) -> None:
        branch_of = [(MUM, DEL)[n % 2] for n in range(16)]
        others = [held_by(account_at(branch_of[n], 10 + n, balance=100_000)) for n in range(16)]
        over, answered = Event(), Counter[str]()

        def client(n: int) -> list[str]:
            keys = []
            try:
                while not over.is_set():
                    key = str(uuid4())
                    payer, payee = (others[n], traveller) if n % 4 else (traveller, others[n])
                    try:
                        first = pay(payer, payee, 1 + n, key=key)
                        again = pay(payer, payee, 1 + n, key=key)
                    except (Busy, Refused) as refused:
                        answered[refused.code] += 1
                    else:
                        assert again.replayed
                        assert again.transfer_id == first.transfer_id
                        keys.append(key)
            finally:
                over.set() if sys.exc_info()[0] else None
                connections.close_all()
            return keys

        with ThreadPoolExecutor(16) as pool:
            clients = [pool.submit(client, n) for n in range(16)]
            moves = 0
            try:
                while moves < 50 and not over.is_set():
                    try:
                        move(traveller, (DEL, MUM)[moves % 2])
                    except Busy:
                        continue
                    moves += 1
            finally:
                over.set()
            keys = [key for one in clients for key in one.result()]
        assert moves == 50
        assert len(keys) > 100
        assert set(answered) <= {"busy", "insufficient_funds"}
        assert in_doubt(branches) == []
        assert findings() == []
        assert told(branches, traveller) == [(MUM, 50)] * 3
        legs = self.legs(branches, [traveller, *others])
        assert {legs[key] for key in keys} == {2}
        total = sum(
            balance_of(node, number) for node, number in zip(branch_of, others, strict=True)
        )
        assert total + balance_of(MUM, traveller) == 16 * 100_000 + 1_000

    def legs(self, branches: Branches, customers: list[int]) -> Counter[str]:
        """Count the customers' legs of each payment over all nodes, by its memo."""
        found: Counter[str] = Counter()
        for node in NODES:
            with psycopg.connect(branches.of(node).app) as connection:
                found.update(
                    dict(
                        connection.execute(
                            "SELECT memo, count(*) FROM ledger.entry"
                            " WHERE account = ANY(%s) AND memo IS NOT NULL GROUP BY memo",
                            [customers],
                        ).fetchall()
                    )
                )
        return found

    @pytest.mark.parametrize(
        ("step", "has_moved"),
        [("begun", False), ("prepared", False), ("decided", True), ("settled", True)],
    )
    def test_survives_the_death_of_the_mover(
        self, traveller: int, branches: Branches, step: str, *, has_moved: bool
    ) -> None:
        dying = (
            "import django, os, sys; django.setup();"
            "from transactions.branches import commitment, moving\n"
            f"commitment.on_step = lambda step: os._exit(9) if step == '{step}' else None\n"
            f"moving.move_account({traveller}, code='DEL', client=0)"
        )
        died = subprocess.run(
            [sys.executable, "-c", dying],
            env={**os.environ, "DATABASE_URL": branches.head_office.app},
            check=False,
        )
        assert died.returncode == 9
        deadline = time.monotonic() + 10
        while recovery.sweep(older_than=0).left:
            assert time.monotonic() < deadline
        assert in_doubt(branches) == []
        assert findings() == []
        spread_moves(node=DEL)
        spread_moves(node=MUM)
        assert told(branches, traveller) == [(DEL, 1) if has_moved else None] * 3
        pay(traveller, held_by(account_at(MUM, 2)), 400)
        assert balance_of(DEL if has_moved else MUM, traveller) == 600
