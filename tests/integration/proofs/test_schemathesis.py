"""Requests made from the OpenAPI, in short: nothing fails, and all is as the OpenAPI says."""

import os
import random
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final
from zlib import crc32

from bankproject.runtime.postgres import BankUrls
from tests.proofs import _fuzzing
from tests.website import served

# They get furthest, and try every operation. The others share them out, so that it costs as much.
WHO_TRY_ALL: Final = frozenset({"superadmin", "customer A"})


def test_whoever_sends_whatever_gets_what_the_openapi_says(
    fresh_bank: BankUrls, tmp_path: Path
) -> None:
    dice = int(os.environ.get("SEED") or random.randrange(2**32))
    everybody = _fuzzing.everybody()
    few = [one for one in everybody if one.name not in WHO_TRY_ALL]
    environment = {"DATABASE_URL": fresh_bank.app, "API_RATE_LIMIT": str(10**9)}
    with served({**os.environ, **environment, "BANK_VAR": str(tmp_path)}) as address:
        fuzz = partial(_fuzzing.fuzz, address, seed=1, examples=1, is_short=True)
        by_all = [fuzz(one) for one in everybody if one.name in WHO_TRY_ALL]
        by_few = [
            fuzz(one, is_for_them=partial(_is_for, place, of=len(few), dice=dice))
            for place, one in enumerate(few)
        ]
    outcomes = [*by_all, *by_few]
    failures = list(chain.from_iterable(outcome.failures.items() for outcome in outcomes))
    assert failures == [], f"SEED={dice} lets the same people try the same"
    assert all(outcome.cases > 100 for outcome in by_all)
    assert sum(outcome.cases for outcome in by_few) > 100


def _is_for(place: int, label: str, *, of: int, dice: int) -> bool:
    """Tell whether the dice give an operation to this one of so many."""
    return crc32(f"{dice} {label}".encode()) % of == place
