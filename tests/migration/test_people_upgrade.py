"""People whom an earlier release knew get user IDs and a status."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from accounts.numbers import parse_user_id
from bankproject.runtime.postgres import BankUrls
from tests.servers import TestServer, worker_name

PEOPLE = """
INSERT INTO accounts_user
    (id, password, is_superuser, email, full_name, phone, role, is_active, is_staff, date_joined)
VALUES
    (7, '!', false, 'asha@example.org', 'Asha Rao', '', 'customer', true, false, now()),
    (41, '!', false, 'gone@example.org', 'Gone', '', 'customer', false, false, now());
SELECT setval('accounts_user_id_seq', 41);
"""


@pytest.fixture
def earlier_bank(
    django_db_setup: None,  # noqa: ARG001  # one worker's migrations after the other
    django_db_blocker: DjangoDbBlocker,
    server: TestServer,
) -> Iterator[BankUrls]:
    """Give a head office of an earlier release, with people in it."""
    name = f"earlier_{worker_name()}"
    urls = server.create_bank(name)
    usual = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connections.close_all()
        connection.settings_dict["NAME"] = name
        try:
            call_command("migrate", "accounts", "0002_holdings", database="default", verbosity=0)
            with psycopg.connect(urls.owner) as owner:
                owner.execute(PEOPLE)
            yield urls
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = usual
            server.drop(name)


@pytest.mark.usefixtures("earlier_bank")
def test_people_of_an_earlier_release_get_user_ids_and_a_status() -> None:
    call_command("migrate", database="default", verbosity=0)
    asha, gone = User.objects.order_by("pk")
    # By their keys alone, so that the replica comes to the same.
    assert [str(one.number)[:-1] for one in (asha, gone)] == ["1000000007", "1000000041"]
    assert {parse_user_id(str(one.number)) for one in (asha, gone)} == {asha.number, gone.number}
    assert (asha.status, gone.status) == ("active", "suspended")
    new = User.objects.create_user("new@example.org", full_name="New")
    assert str(new.number)[:-1] == "1000000042"
