"""The files about people and accounts: every field is checked before anything is written."""

from datetime import date
from pathlib import Path

import pytest

from tests.integration.imports.files import write_people
from transactions.imports.berka.orders import read_orders
from transactions.imports.berka.people import birth_date, read_people
from transactions.imports.tables import BadField, UnreadableFile


def test_the_files_are_read_whole(tmp_path: Path) -> None:
    files = read_people(write_people(tmp_path, accounts=7))
    assert (len(files.districts), len(files.clients), len(files.accounts)) == (2, 7, 7)
    assert [holder.rights for holder in files.holders] == [*["owner"] * 7, "authorised"]


def test_women_have_fifty_added_to_the_month_of_their_birth() -> None:
    assert birth_date("706213") == date(1970, 12, 13)
    assert birth_date("450204") == date(1945, 2, 4)


@pytest.mark.parametrize(
    "text", ["705013", "451304", "456304", "45020", "4502041", "45\uff10204", "", "45-204"]
)
def test_other_birth_numbers_are_refused(text: str) -> None:
    with pytest.raises(BadField):
        birth_date(text)


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("client.asc", "706213", "701313", "line 2, birth_number: expected a day YYMMDD"),
        ("client.asc", ";69", ";7", "line 2, district_id: expected one of district.asc"),
        ("client.asc", "\n2;", "\n1;", "line 3, client_id: expected each once"),
        ("account.asc", "MESICNE", "NIKDY", "line 2, frequency: expected one of"),
        ("account.asc", "930101", "930231", "line 2, date: expected a day YYMMDD"),
        ("disp.asc", "OWNER", "FRIEND", "line 2, type: expected one of 'OWNER', 'DISPONENT'"),
        ("disp.asc", '1;1;1;"O', '1;9;1;"O', "line 2, client_id: expected one of client.asc"),
        ("disp.asc", '1;1;1;"O', '1;1;9;"O', "line 2, account_id: expected one of account.asc"),
        ("disp.asc", '1;1;1;"OWNER"', '1;1;1;"DISPONENT"', "account:1 has 0 owners, not one"),
        ("district.asc", "1204953", "12049.5", "line 2, A4: expected a whole number"),
        ("district.asc", "100.0", "1e2", "line 2, A10: expected a decimal number"),
        ("district.asc", ";99107", "", "line 2, fields: expected 16, found 15"),
        ("order.asc", ";1;", ";9;", "line 2, account_id: expected one of account.asc"),
        ("order.asc", "YZ", "YZX", "line 2, bank_to: expected two capital letters"),
        ("order.asc", "87144583", "8714-458", "line 2, account_to: expected digits"),
        ("order.asc", "2452.00", "-2452.00", "line 2, amount: expected more than zero"),
        ("order.asc", "SIPO", "UROK", "line 2, k_symbol: expected one of"),
        ("order.asc", "29402", "29401", "line 3, order_id: expected each once"),
    ],
)
def test_a_bad_field_of_people_or_accounts_is_named(
    tmp_path: Path, name: str, old: str, new: str, reason: str
) -> None:
    write_people(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))
    with pytest.raises(UnreadableFile) as caught:
        read_orders(tmp_path, accounts=read_people(tmp_path).account_ids)
    assert str(path) in caught.value.message
    assert reason in caught.value.message
