"""User IDs: made by the database, of branch, serial and check digit."""

from random import Random

import pytest
from django.db import connection
from stdnum.iso7064 import mod_11_10

from accounts.models import Branch, User
from accounts.numbers import InvalidUserId, parse_user_id, shown_user_id
from tests.factories import person

pytestmark = pytest.mark.django_db


class TestAUserId:
    def test_begins_with_the_number_of_the_branch_where_the_person_joined(self) -> None:
        mumbai = Branch.objects.create(code="MUM", number=201, name="Mumbai")
        assert str(person(branch=mumbai).number).startswith("201")
        assert str(person().number).startswith("100")

    def test_is_known_as_soon_as_the_person_is_there(self) -> None:
        made = person()
        assert made.number == User.objects.get(pk=made.pk).number
        assert parse_user_id(shown_user_id(made.number)) == made.number

    def test_is_given_to_people_who_are_added_in_bulk_too(self) -> None:
        added = User.objects.bulk_create(
            [User(full_name=f"Person {number}", password="!") for number in range(5)]
        )
        numbers = [one.number for one in added]
        assert len(set(numbers)) == 5
        assert {parse_user_id(str(number)) for number in numbers} == set(numbers)

    def test_is_not_what_somebody_asks_for(self) -> None:
        made = person(number=100_0000001_7)
        made.refresh_from_db()
        assert made.number != 100_0000001_7

    def test_has_the_check_digit_that_python_expects(self) -> None:
        random = Random(7)
        serials = [(random.randint(100, 999), random.randint(1, 9_999_999)) for _ in range(500)]
        with connection.cursor() as cursor:
            for branch, serial in serials:
                cursor.execute("SELECT accounts_user_id_v1(%s, %s)", [branch, serial])
                digits = f"{branch}{serial:07}"
                assert cursor.fetchone() == (int(digits + mod_11_10.calc_check_digit(digits)),)


@pytest.mark.parametrize("text", ["", "1000000001", "100000000017", "10000000010", "1000000001७"])
def test_a_mistyped_user_id_is_none(text: str) -> None:
    with pytest.raises(InvalidUserId):
        parse_user_id(text)
