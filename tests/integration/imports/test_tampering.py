"""A file that is not what the bank wrote: found at its row, on a fresh bank and on a loaded one."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.integration.imports.files import (
    BALANCE,
    DATE,
    OPERATION,
    ROUNDING,
    TAMPERINGS,
    TYPE,
    Row,
    Tampering,
    berka_rows,
    decimal,
    renumbered,
    write_rows,
)
from tests.integration.imports.loads import load, posted_rows, refused_load, state

pytestmark = pytest.mark.usefixtures("fresh_bank")

PLACE = 28
"""A row in the middle of the second account."""

each_tampering = pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)


def tampered(path: Path, tamper: Tampering, place: int = PLACE) -> str:
    """Write a tampered file and return where the fault has to be found in it."""
    rows = berka_rows()
    found = tamper(rows, place)
    write_rows(path, rows)
    return f"{path}, line {found + 2}, account {rows[found][0]}, "


@each_tampering
def test_on_a_fresh_bank_rows_before_it_stay_and_a_corrected_file_continues(
    berka: Path, tamper: Tampering
) -> None:
    where = tampered(berka / "trans_ordered.csv", tamper)
    line = refused_load("berka", berka)
    assert line.startswith(where)
    assert "expected" in line
    assert "found" in line
    before = int(where.split("line ")[1].split(",")[0]) - 2
    assert f"({before} of " in line
    assert posted_rows(like="berka/%") == before
    write_rows(berka / "trans_ordered.csv", berka_rows())
    assert load("berka", berka).endswith("60 of 60 balances equal\n")


def test_on_a_loaded_bank_it_is_found_and_nothing_is_written(berka: Path) -> None:
    load("berka", berka)
    before = state()
    for tamper in TAMPERINGS.values():
        for place in (0, PLACE, 57):
            where = tampered(berka / "trans_ordered.csv", tamper, place)
            assert refused_load("berka", berka).startswith(where)
            assert state() == before


@pytest.mark.parametrize("name", ["a row dropped", "a row doubled", "two rows swapped"])
def test_renumbering_the_rows_hides_nothing(berka: Path, name: str) -> None:
    rows = berka_rows()
    found = TAMPERINGS[name](rows, PLACE)
    write_rows(berka / "trans_ordered.csv", renumbered(rows))
    where = f"line {found + 2}, account 2, balance: expected {rows[found][BALANCE]}, found "
    assert where in refused_load("berka", berka)
    assert posted_rows(like="berka/%") == found


def test_both_balances_are_named(berka: Path) -> None:
    rows = berka_rows()
    right = int(rows[PLACE][BALANCE].replace(".", ""))
    rows[PLACE][BALANCE] = decimal(right + 1)
    write_rows(berka / "trans_ordered.csv", rows)
    assert (
        f"line {PLACE + 2}, account 2, balance: expected {decimal(right + 1)},"
        f" found {decimal(right)} in the ledger ({PLACE} of 60 balances equal before it)"
    ) in refused_load("berka", berka)


def _other_day(row: Row) -> None:
    row[DATE] = "940228"


def _other_road(row: Row) -> None:
    row[OPERATION] = "VKLAD" if row[TYPE] == "PRIJEM" else "PREVOD NA UCET"
    row[9] = ""


def _moved_into_rounding(row: Row) -> None:
    """Keep the balance: what leaves the amount goes into the rounding."""
    amount = int(row[4].replace(".", ""))
    rounding = int(row[ROUNDING].replace(".", ""))
    step = -10 if rounding > 0 else 10
    row[4], row[ROUNDING] = decimal(amount - step), decimal(rounding + step)


@pytest.mark.parametrize(
    ("change", "field"),
    [(_other_day, "date"), (_other_road, "kind"), (_moved_into_rounding, "amount")],
    ids=["date", "kind", "rounding"],
)
def test_on_a_loaded_bank_more_than_balances_is_compared(
    berka: Path, change: Callable[[Row], None], field: str
) -> None:
    load("berka", berka)
    rows = berka_rows()
    place = next(n for n, row in enumerate(rows) if row[9] in ("UROK", "SANKC. UROK"))
    change(rows[place])
    write_rows(berka / "trans_ordered.csv", rows)
    where = f"line {place + 2}, account {rows[place][0]}, {field}: expected "
    assert where in refused_load("berka", berka)


def test_a_lost_end_of_an_account_is_found_on_a_loaded_bank(berka: Path) -> None:
    load("berka", berka)
    rows = berka_rows()
    del rows[39]
    write_rows(berka / "trans_ordered.csv", rows)
    line = refused_load("berka", berka)
    assert "line 40, account 2, seq: expected a next row, found none" in line


def test_random_places_are_found_too(berka: Path) -> None:
    random = Random(7)
    load("berka", berka)
    for _ in range(20):
        name = random.choice(list(TAMPERINGS))
        # Not the last row of an account: what follows it belongs to another one.
        place = 20 * random.randrange(3) + random.randrange(19)
        where = tampered(berka / "trans_ordered.csv", TAMPERINGS[name], place)
        assert refused_load("berka", berka).startswith(where), name
