"""What every test can ask for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from accounts import known
from bankproject.runtime.postgres import BankUrls
from core import remembered
from core.cache import BankCache, bank_cache
from tests.servers import TestServer, test_server, worker_name
from transactions.branches import registry

pytest_plugins = ("tests.machine", "tests.browsing", "tests.branches")

_MIGRATED: Final = "migrated"
_copies: Final = count()


def pytest_collection_finish() -> None:
    """Let the garbage collector not look through thousands of tests again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    """Let nothing be known of what other tests did: the same ids come again in their banks."""
    prefix = uuid4().hex
    # Other settings would be another connection to Valkey for each test.
    caches.settings["default"]["KEY_PREFIX"] = prefix
    cache = bank_cache()
    cache.key_prefix = cache._fallback.key_prefix = prefix  # noqa: SLF001  # what counts while it is away
    BankCache.trust_again()
    known.forget_all()
    remembered.forget_all()


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    """Give this run's PostgreSQL server."""
    found = test_server()
    yield found
    found.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker, server: TestServer) -> None:
    """Give this worker a bank, and an empty copy of it for ``fresh_bank``.

    The first worker migrates it, as its owner; the others copy. The tests work as bank_app: what
    they may do is what the bank may do.
    """
    own = f"test_{worker_name()}"
    with django_db_blocker.unblock(), server.making(_MIGRATED) as is_first:
        if is_first:
            call_command("migrate", verbosity=0)
            connections.close_all()
            server.copy(own, _MIGRATED)
        else:
            server.drop(own)
            server.copy(_MIGRATED, own)
        server.copy(_MIGRATED, _template())


@pytest.fixture
def fresh_bank(
    django_db_setup: None,  # noqa: ARG001  # the template must be there
    django_db_blocker: DjangoDbBlocker,
    server: TestServer,
) -> Iterator[BankUrls]:
    """Give the test an empty bank database of its own, in which it can commit.

    Django's own way, truncating all tables, is what the ledger refuses.
    """
    with _own_bank(server, django_db_blocker) as urls:
        yield urls


@pytest.fixture(scope="module")
def shared_bank(
    django_db_setup: None,  # noqa: ARG001  # the template must be there
    django_db_blocker: DjangoDbBlocker,
    server: TestServer,
) -> Iterator[BankUrls]:
    """Give all tests of a module one bank database, empty at first, in which they can commit."""
    with _own_bank(server, django_db_blocker) as urls:
        yield urls


@contextmanager
def _own_bank(server: TestServer, blocker: DjangoDbBlocker) -> Iterator[BankUrls]:
    database = f"{_template()}_{next(_copies)}"
    usual = connection.settings_dict["NAME"]
    with server.copied(_template(), database) as urls, blocker.unblock():
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
