"""One key sent to real web workers, in short."""

import os
from pathlib import Path

from bankproject.runtime.postgres import BankUrls
from tests.proofs._one_key import send_once_many_times
from tests.website import served
from transactions.ledger.invariants import check_books

TIMES = 60


def test_posts_once_however_often_it_is_sent_at_once(fresh_bank: BankUrls, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": fresh_bank.app, "BANK_VAR": str(tmp_path)}
    with served(environment, workers=2) as address:
        sent = send_once_many_times(address, times=TIMES)
    assert sent.faults(times=TIMES) == []
    assert check_books().findings == []
