"""Revocation in short: two workers, and no clock."""

import os
from pathlib import Path

from bankproject.runtime.postgres import BankUrls
from tests.proofs._revoking import CACHES, ENDINGS, revoke, site
from tests.proofs._revoking_people import admin, customer


def test_nobody_is_let_in_who_was_shut_out(fresh_bank: BankUrls, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": fresh_bank.app}
    with site(environment, tmp_path, workers=2, admin=admin()) as bank:
        for ending, cache in zip(ENDINGS, CACHES, strict=True):
            assert revoke(bank, customer(), ending=ending, cache=cache).failures == []
        assert revoke(bank, customer(), ending="log out", cache="back").failures == []
