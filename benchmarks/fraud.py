"""How many strange payments the score of fraud finds, and how many usual ones it takes for them.

`make bench NAME=fraud`, with BANK_REAL_DATA naming the folder of the Czech bank's files. Every
payment out is scored by those before it on its account; then one payment of each account is made
strange, as somebody would who has taken the account over: at a random place, to a payee of its own,
of a part of what was there. Both kinds are looked at by the same threshold. SEED repeats the dice.
"""

import csv
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from django.conf import settings

from benchmarks._real_data import real_data
from transactions.fraud.bounds import ALARM_SCORE, SCORED_AFTER
from transactions.fraud.course import Movement
from transactions.fraud.scoring import score

_HISTORY: Final = 200
_PARTS: Final = (0.3, 0.5, 0.9)
_RATES: Final = (0.001, 0.01)
_BANKS_OWN: Final = frozenset(
    {
        "SLUZBY",
        "SANKC. UROK",
        "payment for statement",
        "sanction interest if negative balance",
    }
)
_FILES: Final = ("trans_ordered.csv", "loan_histories.csv")


def main() -> int:
    """Measure, and print a last line of JSON."""
    folder = real_data()
    settings.configure(USE_TZ=True, USE_I18N=False)
    seed = int(os.environ.get("SEED", "1"))
    accounts = [one for name in _FILES for one in _accounts(folder / "berka" / name)]
    began = time.perf_counter()
    usual = sorted(_scores(accounts))
    milliseconds = (time.perf_counter() - began) * 1000 / len(usual)
    strange = {part: sorted(_strange(accounts, part, Random(seed))) for part in _PARTS}
    figures = _figures(usual, strange)
    print(f"{len(accounts)} accounts, {len(usual)} payments, {milliseconds:.3f} ms each")
    for name, figure in figures.items():
        print(f"{figure:>8}  {name}")
    print(
        json.dumps(
            {
                "name": "fraud",
                "seed": seed,
                "ratios": {},
                "figures": {**figures, "score_ms": round(milliseconds, 3)},
                "counts": {"payments": len(usual), "strange": len(strange[_PARTS[0]])},
            }
        )
    )
    return 0


def _figures(usual: Sequence[float], strange: dict[float, list[float]]) -> dict[str, float]:
    alarms = {
        f"at an alarm in {round(1 / rate)}": usual[int(len(usual) * (1 - rate))] for rate in _RATES
    }
    bounds = {**alarms, "as shipped": ALARM_SCORE}
    return {
        **{f"score {name}": round(bound, 2) for name, bound in bounds.items()},
        "alarms among usual payments as shipped": round(_above(usual, ALARM_SCORE), 5),
        **{
            f"found of {part:.0%} of the balance {name}": round(_above(scores, bound), 3)
            for name, bound in bounds.items()
            for part, scores in strange.items()
        },
    }


def _above(scores: Sequence[float], bound: float) -> float:
    return sum(score >= bound for score in scores) / len(scores)


def _scores(accounts: Sequence[list[Movement]]) -> Iterator[float]:
    for payments in accounts:
        for place, payment in enumerate(payments):
            earlier = payments[max(place - _HISTORY, 0) : place]
            if len(earlier) >= SCORED_AFTER:
                found = score(payment, earlier)
                yield 0.0 if found is None else found.value


def _strange(accounts: Sequence[list[Movement]], part: float, random: Random) -> Iterator[float]:
    """Yield the scores of one strange payment on each account."""
    for payments in accounts:
        place = random.randrange(len(payments))
        last = payments[place]
        if last.after <= 0:
            continue
        taken = max(int(last.after * part), 1)
        payment = replace(last, amount=taken, after=last.after - taken, other=-1, kind="transfer")
        earlier = payments[max(place + 1 - _HISTORY, 0) : place + 1]
        if len(earlier) >= SCORED_AFTER:
            found = score(payment, earlier)
            yield 0.0 if found is None else found.value


def _accounts(path: Path) -> Iterator[list[Movement]]:
    """Yield the payments out of each account, in the order in which they were made."""
    with path.open(newline="", encoding="utf-8") as file:
        for _account, rows in groupby(csv.DictReader(file), key=lambda row: row["account_id"]):
            payments = [_movement(row) for row in rows if _is_payment(row)]
            if payments:
                yield payments


def _is_payment(row: dict[str, str]) -> bool:
    """Tell what somebody paid from what the bank took for itself."""
    return row["signed_amount"].startswith("-") and row["k_symbol"] not in _BANKS_OWN


def _movement(row: dict[str, str]) -> Movement:
    payee = f"{row['bank']} {row['account']} {row['k_symbol']}"
    return Movement(
        id=UUID(int=int(row["trans_id"])),
        at=datetime.strptime(row["date"], "%y%m%d").replace(tzinfo=UTC),
        is_out=True,
        amount=-_minor(row["signed_amount"]),
        after=_minor(row["balance"]),
        other=hash(payee),
        kind=row["operation"],
        channel="import",
    )


def _minor(text: str) -> int:
    whole, _point, fraction = text.partition(".")
    return int(f"{whole}{fraction:0<2}")


if __name__ == "__main__":
    sys.exit(main())
