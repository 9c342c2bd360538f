"""A table of payments: good rows become transfers, junk is reported, repeats change nothing."""

from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Account, User
from tests.integration.imports.files import seed_rows, write_seed
from tests.integration.imports.loads import load, posted_rows, refused_load, state
from transactions.ledger.accounts import Status, set_status
from transactions.ledger.reads import balances, entries

pytestmark = pytest.mark.usefixtures("fresh_bank")

JUNK = [
    ["kavita", "outgoing", "1000", "07-04-2025 11:07", "7432.27", "", "kavita", ""],
    ["", "", "", "", "", "", "", ""],
    ["User 1", "incoming", "10.00", "5.00", "01-01-2025 00:00", "15.01", "", "user.1"],
]


def number(user: int) -> int:
    return Account.objects.get(external_reference=f"seed-csv:account:user.{user}").number


def test_good_rows_are_posted_and_each_refused_one_is_reported(tmp_path: Path) -> None:
    rows = seed_rows()
    path = write_seed(tmp_path / "payments.csv", [*rows[:10], *JUNK, *rows[10:]])
    said = load("seed-csv", path).splitlines()
    assert said[0].startswith(f"refused: {path}, line 12, balance: expected a decimal number")
    assert said[1] == f"refused: {path}, line 13, row: expected a payment, found a blank line"
    assert said[2] == (
        f"refused: {path}, line 14, dynamic_balance: expected 5.00 + 10.00, found 15.01"
    )
    assert said[-1] == "60 of 60 posted, 3 refused"
    assert posted_rows(like="seed-csv/line/%") == 60
    call_command("check_books")


def test_a_second_load_posts_none_and_ends_the_same(tmp_path: Path) -> None:
    path = write_seed(tmp_path / "payments.csv", [*seed_rows(), *JUNK])
    first = load("seed-csv", path)
    before = state()
    assert load("seed-csv", path) == first
    assert state() == before


def test_the_opening_balance_is_the_least_that_is_enough(tmp_path: Path) -> None:
    moment = "01-01-2025 00:06"
    rows = [
        ["Sunita", "outgoing", "700.00", "5000.00", moment, "4300.00", "", "sunita"],
        ["Asha", "outgoing", "30.00", "40.00", moment, "10.00", "", "asha"],
        ["Asha", "incoming", "5.00", "0.00", moment, "5.00", "", "asha"],
        ["Asha", "outgoing", "50.00", "90.00", moment, "40.00", "", "asha"],
    ]
    load("seed-csv", write_seed(tmp_path / "payments.csv", rows))
    sunita, asha = (
        Account.objects.get(external_reference=f"seed-csv:account:{user}").number
        for user in ("sunita", "asha")
    )
    opening = entries(sunita)[-1]
    assert (opening.memo, opening.change) == ("Opening balance", 500_000)
    assert [entry.balance_after for entry in entries(asha)] == [0, 5_000, 4_500, 7_500]
    assert [balance.balance for balance in balances([sunita, asha])] == [430_000, 0]


def test_users_have_one_account_with_a_floor_each(tmp_path: Path) -> None:
    load("seed-csv", write_seed(tmp_path / "payments.csv", seed_rows()))
    assert User.objects.filter(external_reference__startswith="seed-csv:user:").count() == 3
    user = User.objects.get(external_reference="seed-csv:user:user.1")
    assert (user.full_name, user.email, user.has_usable_password()) == ("User 1", None, False)
    account = balances([number(1)])[0]
    assert (account.currency, account.overdraft_limit) == ("INR", 0)


def test_a_row_that_differs_from_what_was_loaded_stops_the_load(tmp_path: Path) -> None:
    path = write_seed(tmp_path / "payments.csv", seed_rows())
    load("seed-csv", path)
    before = state()
    rows = seed_rows()
    rows[30][4] = "28-01-2025 10:00"
    write_seed(path, rows)
    line = refused_load("seed-csv", path)
    assert line.startswith(f"{path}, line 32, account {rows[30][7]}, date: expected 2025-01-28 10")
    assert state() == before


def test_a_corrected_row_is_posted_and_the_others_are_not_again(tmp_path: Path) -> None:
    rows = seed_rows()
    good = list(rows[20])
    rows[20][5] = "0.01"
    path = write_seed(tmp_path / "payments.csv", rows)
    assert load("seed-csv", path).endswith("59 of 59 posted, 1 refused\n")
    rows[20] = good
    write_seed(path, rows)
    assert load("seed-csv", path).endswith("60 of 60 posted, 0 refused\n")
    assert posted_rows(like="seed-csv/line/%") == 60


def test_rows_before_the_first_wrong_one_stay_though_one_after_it_is_refused(
    tmp_path: Path,
) -> None:
    rows = seed_rows(rows=30)
    good = list(rows[6])
    rows[6][5] = "0.01"
    path = write_seed(tmp_path / "payments.csv", rows[:20])
    load("seed-csv", path)
    set_status(number(1), status=Status.FROZEN, client=0, reason="asked")
    rows[6] = good
    rows[15][4] = "28-01-2025 10:00"
    assert (good[7], rows[15][7], rows[21][7]) == ("user.0", "user.0", "user.1")
    write_seed(path, rows)
    line = refused_load("seed-csv", path)
    assert line.startswith(f"{path}, line 17, account {rows[15][7]}, date: expected 2025-01-28 10")
    assert line.endswith("(15 of 30 posted before it)")
    assert posted_rows(like="seed-csv/line/%") == 20


@pytest.mark.parametrize(
    ("corrected", "opened"),
    [
        ([0], [20_000]),
        ([1], [2_000, 6_000]),
        ([2], [15_000]),
        ([3], [11_000]),
        ([1, 0], [7_000, 1_000]),
    ],
)
def test_a_corrected_row_is_posted_after_what_it_needs_besides(
    tmp_path: Path, corrected: list[int], opened: list[int]
) -> None:
    path, moment = tmp_path / "payments.csv", "01-01-2025 00:06"
    good = [
        ["Asha", "outgoing", "10.00", "20.00", moment, "10.00", "", "asha"],
        ["Asha", "outgoing", "100.00", "200.00", moment, "100.00", "", "asha"],
        ["Asha", "incoming", "70.00", "0.00", moment, "70.00", "", "asha"],
        ["Asha", "outgoing", "40.00", "40.00", moment, "0.00", "", "asha"],
    ]
    rows = [[*row[:5], "0.01", *row[6:]] if n in corrected else row for n, row in enumerate(good)]
    load("seed-csv", write_seed(path, rows))
    for place in corrected:
        rows[place] = good[place]
        load("seed-csv", write_seed(path, rows))
    asha = Account.objects.get(external_reference="seed-csv:account:asha").number
    told = [entry.change for entry in entries(asha) if entry.memo == "Opening balance"]
    assert told[::-1] == opened
    before = state()
    assert load("seed-csv", path).endswith("4 of 4 posted, 0 refused\n")
    assert state() == before
