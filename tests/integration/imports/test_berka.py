"""A bank of the Berka kind: what its rows become, and that loading it twice changes nothing."""

from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Account, Card, District, User
from core import clock
from core.clock import bank_day
from loans.models import Loan, Repayment
from tests.integration.imports.files import (
    AMOUNT,
    ENGLISH,
    SYMBOL,
    berka_rows,
    write_people,
    write_rows,
)
from tests.integration.imports.loads import load, posted_rows, refused_load, state
from transactions.ledger.reads import balances, balances_of, entries
from transactions.lending import owed_on
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.models import StandingOrder
from transactions.payments.standing_orders import (
    PayeeElsewhere,
    cancel_standing_order,
    resume_standing_order,
)

pytestmark = pytest.mark.usefixtures("fresh_bank")


PENSION = "PRIJEM,PREVOD Z UCTU,DUCHOD,AB,41403269"
INTEREST = "PRIJEM,,UROK,,"


def number(account: int) -> int:
    return Account.objects.get(external_reference=f"berka:account:{account}").number


def test_every_balance_is_compared_and_equal(berka: Path) -> None:
    assert load("berka", berka).endswith("60 of 60 balances equal\n")
    for account in (1, 2, 3):
        last = [row for row in berka_rows() if row[0] == str(account)][-1]
        assert balances([number(account)])[0].balance == int(last[5].replace(".", ""))
    call_command("check_books")


def test_loading_twice_compares_all_and_posts_none(berka: Path) -> None:
    load("berka", berka)
    before = state()
    assert load("berka", berka).endswith("60 of 60 balances equal\n")
    assert state() == before


LOANS = """"loan_id";"account_id";"date";"amount";"duration";"payments";"status"
7;1;930105;12000;12;1000.00;"A"
8;2;980601;24000;24;1000.00;"C"
9;3;930205;36000;36;1000.00;"D"
"""


def test_loans_come_in_as_they_stood_when_the_books_end(berka: Path) -> None:
    (berka / "loan.asc").write_text(LOANS, "ascii")
    rows = berka_rows()
    paid = next(row for row in rows if row[0] == "3" and row[SYMBOL] == "SIPO")
    paid[SYMBOL] = "UVER"
    write_rows(berka / "trans_ordered.csv", rows)
    for _ in range(2):
        assert "3 of 3 loans\n" in load("berka", berka)
        first, second, third = Loan.objects.order_by("application__purpose")
        assert [one.state for one in (first, second, third)] == ["repaid", "active", "active"]
        found = owed_on([one.accounts for one in (first, second, third)])
        paid_by_row = min(abs(int(paid[AMOUNT].replace(".", ""))), 36_000_00)
        assert [one.total for one in found.values()] == [0, 18_000_00, 36_000_00 - paid_by_row]
        assert (first.account, first.borrower.full_name) == (number(1), "Client 1")
        assert first.repaid_at is not None
        assert bank_day(first.repaid_at) == date(1994, 1, 5)
        assert Repayment.objects.count() == 12 + 6 + 1
    call_command("check_books")
    (berka / "loan.asc").write_text(LOANS.replace("24000;24", "25000;25"), "ascii")
    assert "loan 8, amount: expected 2500000, the bank has 2400000" in refused_load("berka", berka)


def test_permanent_orders_come_in_paused_once_and_are_never_paid(berka: Path) -> None:
    assert "2 of 2 standing orders\n" in load("berka", berka)
    first, second = StandingOrder.objects.order_by("key")
    assert (first.debit, first.user.full_name, str(first.money)) == (
        number(1),
        "Client 1",
        "2452.00 CZK",
    )
    assert first.memo == "Transfer to another bank: YZ 87144583, household"
    assert second.memo == "Transfer to another bank: ST 89597016"
    assert (queue_standing_orders(now=clock.now()), first.state) == (0, "paused")
    with pytest.raises(PayeeElsewhere):
        resume_standing_order(first.user_id, order=first.pk, now=clock.now())
    cancel_standing_order(first.user_id, order=first.pk)
    assert "2 of 2 standing orders\n" in load("berka", berka)
    assert {order.state for order in StandingOrder.objects.all()} == {"paused", "cancelled"}


def test_cards_come_in_once_to_be_activated_by_whom_the_files_name(berka: Path) -> None:
    assert "2 of 2 cards\n" in load("berka", berka)
    junior, classic = Card.objects.order_by("external_reference").select_related("person")[::-1]
    assert (junior.person.full_name, junior.account_id) == ("Client 2", number(1))
    assert (classic.person.full_name, classic.tier, classic.state) == (
        "Client 1",
        "classic",
        "issued",
    )
    assert bank_day(classic.issued_at) == date(1993, 11, 7)
    assert "2 of 2 cards\n" in load("berka", berka)
    path = berka / "card.asc"
    path.write_text(path.read_text("ascii").replace("classic", "gold"), "ascii")
    assert "card 1005, type: expected gold" in refused_load("berka", berka)
    path.write_text(path.read_text("ascii").replace("gold", "iron"), "ascii")
    assert "line 2, type: expected one of" in refused_load("berka", berka)


def test_a_permanent_order_that_was_changed_is_found(berka: Path) -> None:
    load("berka", berka)
    before = state()
    path = berka / "order.asc"
    path.write_text(path.read_text("ascii").replace("3372.70", "3372.80"), "ascii")
    assert "order 29402, amount: expected 3372.80 CZK" in refused_load("berka", berka)
    assert state() == before


def test_people_accounts_and_rights_are_those_of_the_files(berka: Path) -> None:
    load("berka", berka)
    woman = User.objects.get(external_reference="berka:client:1")
    assert (woman.birth_date, woman.email, woman.has_usable_password()) == (
        date(1970, 12, 13),
        None,
        False,
    )
    assert [(b.number, b.overdraft_limit) for b in balances_of(woman.pk)] == [(number(1), None)]
    second = User.objects.get(external_reference="berka:client:2")
    assert {b.number for b in balances_of(second.pk)} == {number(1), number(2)}
    jesenik = District.objects.get(code=69)
    assert (jesenik.unemployment_1995, jesenik.crimes_1995, jesenik.crimes_1996) == (
        None,
        None,
        1358,
    )
    opened = Account.objects.get(pk=number(1))
    assert (bank_day(opened.opened_at), opened.currency) == (date(1993, 1, 1), "CZK")


def test_a_row_becomes_a_transfer_of_its_day_and_a_linked_one_for_its_rounding(
    tmp_path: Path,
) -> None:
    write_people(tmp_path)
    rows = [
        f"1,1,930226,7,1000.00,1000.00,0.00,{PENSION}".split(","),
        f"1,2,930228,8,5.20,1005.10,-0.10,{INTEREST}".split(","),
    ]
    write_rows(tmp_path / "trans_ordered.csv", rows)
    load("berka", tmp_path)
    rounding, interest, pension = entries(number(1))
    assert pension.memo == "Transfer from another bank: AB 41403269, pension"
    assert (pension.kind, pension.channel, pension.change) == ("transfer", "import", 100_000)
    assert bank_day(pension.event_at) == date(1993, 2, 26)
    assert (interest.kind, interest.change, interest.balance_after) == ("interest", 520, 100_520)
    assert (rounding.kind, rounding.change, rounding.balance_after) == ("rounding", -10, 100_510)
    assert interest.group_id == rounding.group_id == interest.transfer_id


@pytest.mark.parametrize("quoted", [False, True], ids=["unquoted", "quoted"])
def test_english_words_load_as_the_czech_ones_do(
    berka: Path, tmp_path_factory: pytest.TempPathFactory, *, quoted: bool
) -> None:
    load("berka", berka)
    before = state()
    english = [[ENGLISH.get(field, field) for field in row] for row in berka_rows()]
    path = tmp_path_factory.mktemp("english") / "transactions.csv"
    write_rows(path, english, quoted=quoted)
    assert load("berka", berka, "--transactions", path).endswith("60 of 60 balances equal\n")
    assert state() == before


def test_another_file_of_transactions_comes_beside_the_first(berka: Path, tmp_path: Path) -> None:
    rows = berka_rows()
    first = write_rows(tmp_path / "first.csv", rows[:40])
    load("berka", berka, "--transactions", first)
    second = write_rows(tmp_path / "second.csv", rows[40:])
    assert load("berka", berka, "--transactions", second).endswith("20 of 20 balances equal\n")
    assert posted_rows(like="berka/%") == 60


def test_what_the_bank_changed_since_stays(berka: Path) -> None:
    load("berka", berka)
    User.objects.filter(external_reference="berka:client:1").update(full_name="Jana Novakova")
    load("berka", berka)
    assert User.objects.get(external_reference="berka:client:1").full_name == "Jana Novakova"
