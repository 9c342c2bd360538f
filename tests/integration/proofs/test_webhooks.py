"""The proof of webhooks in short, and that it can fail."""

import os
from pathlib import Path

from bankproject.runtime.postgres import BankUrls
from tests.proofs.webhooks import Plan, prove


def test_every_event_comes_once_whatever_receiver_and_workers_do(
    fresh_bank: BankUrls, tmp_path: Path
) -> None:
    bank = {**os.environ, "DATABASE_URL": fresh_bank.app, "BANK_VAR": str(tmp_path)}
    outcome = prove(Plan(seconds=5, postings=100, kills=2, copies=1, seed=1), bank)
    assert outcome.failures == []
    assert outcome.counts["kills"] == 2
    assert outcome.counts["attempts"] > outcome.counts["events"] > 100
