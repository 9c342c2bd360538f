"""What every test can ask for."""

from collections.abc import Iterator
from itertools import count
from typing import Final

import pytest
from django.core.management import call_command
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from bankproject.runtime.postgres import BankUrls
from tests.servers import TestServer, test_server, worker_name
from transactions.branches import registry

pytest_plugins = ("tests.machine", "tests.branches")

_copies: Final = count()


@pytest.fixture(scope="session")
def server() -> TestServer:
    """Return this run's PostgreSQL server."""
    return test_server()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker, server: TestServer) -> None:
    """Migrate this worker's bank as its owner, and keep an empty copy for ``fresh_bank``.

    The tests work as bank_app: what they may do is what the bank may do.
    """
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
        connections.close_all()
        server.copy(f"test_{worker_name()}", _template())


@pytest.fixture
def fresh_bank(
    django_db_setup: None,  # noqa: ARG001  # the template must be there
    django_db_blocker: DjangoDbBlocker,
    server: TestServer,
) -> Iterator[BankUrls]:
    """Give the test an empty bank database of its own, in which it can commit.

    Django's own way, truncating all tables, is what the ledger refuses.
    """
    database = f"{_template()}_{next(_copies)}"
    usual = connection.settings_dict["NAME"]
    with server.copied(_template(), database) as urls, django_db_blocker.unblock():
        # What is open or known would go on with the usual database.
        connections.close_all()
        registry.forget()
        connection.settings_dict["NAME"] = database
        try:
            yield urls
        finally:
            connections.close_all()
            registry.forget()
            connection.settings_dict["NAME"] = usual


def _template() -> str:
    return f"empty_{worker_name()}"
