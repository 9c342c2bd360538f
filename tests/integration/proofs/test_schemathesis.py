"""Requests made from the OpenAPI, in short: nothing fails, and all is as the OpenAPI says."""

import os
from itertools import chain
from pathlib import Path

from bankproject.runtime.postgres import BankUrls
from tests.proofs import _fuzzing
from tests.website import served


def test_whoever_sends_whatever_gets_what_the_openapi_says(
    fresh_bank: BankUrls, tmp_path: Path
) -> None:
    everybody = {one.name: one for one in _fuzzing.everybody()}
    environment = {"DATABASE_URL": fresh_bank.app, "API_RATE_LIMIT": str(10**9)}
    with served({**os.environ, **environment, "BANK_VAR": str(tmp_path)}) as address:
        outcomes = [
            _fuzzing.fuzz(address, everybody[name], seed=1, examples=1, is_short=True)
            for name in ("anonymous", "customer A", "superadmin")
        ]
    assert list(chain.from_iterable(outcome.failures.items() for outcome in outcomes)) == []
    assert all(outcome.cases > 100 for outcome in outcomes)
