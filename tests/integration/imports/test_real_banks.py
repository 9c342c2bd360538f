"""The real banks' files, whole; found by BANK_REAL_DATA."""

import re
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from django.core.management import call_command

from bankproject.runtime.postgres import BankUrls
from loans.books import check_loans
from loans.models import Loan
from tests.integration.imports.files import TAMPERINGS, Row, renumbered
from tests.integration.imports.loads import kill_loads, load, posted_rows, refused_load, state

SLICE = 200


def test_berka_killed_thrice_ends_with_all_balances_equal(
    fresh_bank: BankUrls, real_data: Path
) -> None:
    folder = real_data / "berka"
    assert kill_loads("berka", folder, bank=fresh_bank, times=3, random=Random()) == 3
    assert load("berka", folder).endswith("46997 of 46997 balances equal\n")
    assert posted_rows(like="berka/%") == 46_997
    call_command("check_books")


@pytest.mark.usefixtures("fresh_bank")
def test_berka_loads_with_people_and_loads_again_without_a_change(real_data: Path) -> None:
    folder = real_data / "berka"
    histories = folder / "loan_histories.csv"
    expected = (
        "682 of 682 loans\n6471 of 6471 standing orders\n892 of 892 cards\n"
        "14148 of 14148 balances equal\n"
    )
    assert load("berka", folder, "--transactions", histories).endswith(expected)
    before = state()
    assert before[3:] == (5369, 4500, 77, 6471, 892)
    assert Counter(Loan.objects.values_list("state", flat=True)) == {"repaid": 203, "active": 479}
    assert check_loans() == []
    assert load("berka", folder, "--transactions", histories).endswith(expected)
    assert state() == before


@pytest.mark.usefixtures("fresh_bank")
def test_the_payments_load_and_load_again_without_a_change(real_data: Path) -> None:
    path = real_data / "seed-bank" / "realistic_indian_transactions.csv"
    said = load("seed-csv", path)
    assert said.endswith("20000 of 20000 posted, 6 refused\n")
    refused = re.findall(r"^refused: .*, line (\d+),", said, re.MULTILINE)
    assert refused == ["1127", "1128", "20004", "20005", "20006", "20007"]
    before = state()
    assert before[3] == before[4] == 100
    assert load("seed-csv", path) == said
    assert state() == before


def _small_bank(real: Path, folder: Path) -> list[Row]:
    """Copy the accounts of the first rows, with their people, and return those rows."""
    lines = (real / "trans_ordered.csv").read_text("ascii").splitlines()[1 : SLICE + 1]
    rows = [line.split(",") for line in lines]
    accounts = {row[0] for row in rows}
    shutil.copy(real / "district.asc", folder)
    header, *disp = (real / "disp.asc").read_text("ascii").splitlines()
    kept = [line for line in disp if line.split(";")[2] in accounts]
    (folder / "disp.asc").write_text("\n".join([header, *kept]), "ascii")
    card = f'1;{kept[0].split(";")[0]};"classic";931107 00:00:00'
    (folder / "card.asc").write_text(f'"card_id";"disp_id";"type";"issued"\n{card}', "ascii")
    clients = {line.split(";")[1] for line in kept}
    copied = (
        ("account.asc", 0, accounts),
        ("client.asc", 0, clients),
        ("order.asc", 1, accounts),
    )
    for name, column, ids in copied:
        header, *lines = (real / name).read_text("ascii").splitlines()
        kept = [line for line in lines if line.split(";")[column] in ids]
        (folder / name).write_text("\n".join([header, *kept]), "ascii")
    return rows


def _write(folder: Path, header: str, rows: list[Row]) -> None:
    lines = "".join(f"{','.join(row)}\n" for row in rows)
    (folder / "trans_ordered.csv").write_text(f"{header}\n{lines}", "ascii")


@pytest.mark.usefixtures("fresh_bank")
def test_every_tampering_with_the_real_rows_is_found_at_its_row(
    real_data: Path, tmp_path: Path
) -> None:
    """Each place comes twice: before it is loaded, and when all is."""
    rows = _small_bank(real_data / "berka", tmp_path)
    header = (real_data / "berka" / "trans_ordered.csv").read_text("ascii").splitlines()[0]
    inner = [
        place
        for place in range(SLICE - 1)
        if rows[place][0] == rows[place + 1][0] and place % 40 == 3
    ]
    posted = 0
    for _ in ("fresh", "loaded"):
        for place in inner:
            for name, tamper in TAMPERINGS.items():
                changed = [list(row) for row in rows]
                found = tamper(changed, place)
                _write(tmp_path, header, changed)
                line = refused_load("berka", tmp_path)
                assert f", line {found + 2}, account {changed[found][0]}, " in line, name
                posted = max(posted, found)
                assert posted_rows(like="berka/%") == posted, name
        _write(tmp_path, header, renumbered(rows))
        assert load("berka", tmp_path).endswith(f"{SLICE} of {SLICE} balances equal\n")
        posted = SLICE
