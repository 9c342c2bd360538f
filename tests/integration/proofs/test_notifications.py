"""The proof of notifications in short, and that it can fail."""

import os
from pathlib import Path

from bankproject.runtime.postgres import BankUrls
from tests.proofs.notifications import Plan, prove


def test_every_mail_comes_whatever_mail_server_and_workers_do(
    fresh_bank: BankUrls, tmp_path: Path
) -> None:
    bank = {**os.environ, "DATABASE_URL": fresh_bank.app, "BANK_VAR": str(tmp_path)}
    outcome = prove(Plan(seconds=4, notices=60, kills=1, copies=1, seed=1), bank)
    assert outcome.failures == []
    assert outcome.counts["kills"] == 1
    assert outcome.counts["attempts"] > outcome.counts["mails"] == 60
