"""The fields of a transaction: each is checked, and the words say what the row is."""

import pytest

from tests.integration.imports.files import CZECH, ENGLISH
from transactions.chart import BankAccounts, Place
from transactions.imports.berka.meaning import meaning_of
from transactions.imports.berka.rows import parse_transactions
from transactions.imports.entries import Row
from transactions.imports.tables import BadField, BadRow, Line
from transactions.ledger.posting import Kind

GOOD = {
    "account_id": "2",
    "seq": "1",
    "date": "930226",
    "trans_id": "276",
    "signed_amount": "1100.00",
    "balance": "1100.00",
    "rounding": "0.00",
    "type": "PRIJEM",
    "operation": "VKLAD",
    "k_symbol": "",
    "bank": "",
    "account": "",
}


def parsed(**changed: str) -> Row:
    line = Line(5, list({**GOOD, **changed}.values()))
    bank = BankAccounts(100, "CZK")
    return next(parse_transactions([line], accounts={"2": 100_000_000_016}, bank=bank))


def test_a_good_row_is_an_entry_and_apart_from_it_the_balance_expected() -> None:
    row = parsed()
    assert row.balance_after == 110_000
    assert not hasattr(row.entry, "balance_after")
    assert (row.entry.change, row.entry.kind, row.entry.reference) == (
        110_000,
        Kind.DEPOSIT,
        "berka/2/1",
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("account_id", "3"),
        ("seq", "2"),
        ("seq", "x"),
        ("date", "930229"),
        ("date", "19930226"),
        ("trans_id", ""),
        ("signed_amount", "1,100.00"),
        ("signed_amount", "1e3"),
        ("signed_amount", "+1100.00"),
        ("signed_amount", "1100.001"),
        ("signed_amount", "NaN"),
        ("signed_amount", "\uff11\uff11\uff10\uff10.00"),
        ("signed_amount", "-1100.00"),
        ("signed_amount", "0.00"),
        ("balance", ""),
        ("rounding", "0.05"),
        ("rounding", "0.20"),
        ("rounding", ""),
        ("type", "prijem"),
        ("type", "NOVY"),
        ("operation", "DAR"),
        ("operation", ""),
        ("operation", "VYBER"),
        ("k_symbol", "DAR"),
        ("bank", "ABC"),
        ("account", "12-34"),
    ],
)
def test_a_bad_field_is_named_with_its_line_and_account(field: str, text: str) -> None:
    with pytest.raises(BadRow) as caught:
        parsed(**{field: text})
    account = text if field == "account_id" else "2"
    assert caught.value.message.startswith(f"line 5, account {account}, {field}: expected ")


@pytest.mark.parametrize("fields", [["2"], [*GOOD.values(), ""]], ids=["few", "many"])
def test_a_row_of_another_length_is_refused(fields: list[str]) -> None:
    with pytest.raises(BadRow, match="fields: expected 12"):
        next(
            parse_transactions([Line(5, fields)], accounts={"2": 1}, bank=BankAccounts(100, "CZK"))
        )


@pytest.mark.parametrize(
    ("operation", "k_symbol", "place", "kind"),
    [
        ("VKLAD", "", Place.VAULT, Kind.DEPOSIT),
        ("VYBER", "", Place.VAULT, Kind.WITHDRAWAL),
        ("VYBER KARTOU", " ", Place.VAULT, Kind.WITHDRAWAL),
        ("VYBER", "SIPO", Place.VAULT, Kind.WITHDRAWAL),
        ("PREVOD Z UCTU", "DUCHOD", Place.NOSTRO, Kind.TRANSFER),
        ("PREVOD NA UCET", "UVER", Place.NOSTRO, Kind.TRANSFER),
        ("", "UROK", Place.INTEREST_EXPENSE, Kind.INTEREST),
        ("VYBER", "SLUZBY", Place.FEE_INCOME, Kind.FEE),
        ("VYBER", "SANKC. UROK", Place.INTEREST_INCOME, Kind.PENALTY_INTEREST),
    ],
)
def test_operation_and_symbol_say_against_which_account(
    operation: str, k_symbol: str, place: Place, kind: Kind
) -> None:
    meaning = meaning_of(operation=operation, k_symbol=k_symbol, partner="")
    assert (meaning.place, meaning.kind) == (place, kind)


def test_english_words_mean_the_same() -> None:
    for _, operation, symbol, bank, account in CZECH:
        english = meaning_of(
            operation=ENGLISH.get(operation, "withdrawal in cash" if operation else ""),
            k_symbol=ENGLISH.get(symbol, symbol),
            partner=f"{bank} {account}",
        )
        assert english == meaning_of(
            operation=operation, k_symbol=symbol, partner=f"{bank} {account}"
        )


def test_interest_does_not_come_by_transfer() -> None:
    with pytest.raises(BadField):
        meaning_of(operation="PREVOD Z UCTU", k_symbol="UROK", partner="")
