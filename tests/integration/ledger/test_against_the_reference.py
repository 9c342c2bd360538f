"""The real ledger does what the reference ledger does."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg import sql

from bankproject.runtime.postgres import BankUrls
from tests.ledger_machine import LedgerMachine
from tests.servers import TestServer


def test_every_history_comes_to_the_same(
    fresh_bank: BankUrls, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = fresh_bank.app.rpartition("/")[2]
    # Nothing here is about durability, and waiting for the disk is most of the time.
    server.run(
        sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(database))
    )
    monkeypatch.setattr(
        LedgerMachine, "superuser_url", server.superuser_url(database), raising=False
    )
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            derandomize=True,
            deadline=None,
            database=None,
            # Shrinking takes many minutes; the steps are printed as they are.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
