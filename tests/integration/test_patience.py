"""What falls silent without hanging up is not waited for."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from pytest_django.plugin import DjangoDbBlocker

from core.db import aliases
from core.db.addresses import database_settings
from core.db.patience import patient_for
from tests.faults._proxy import Proxy
from tests.servers import TestServer
from transactions.ledger.connection import ledger_cursor

SILENT = "SILENT"
SOON_SECONDS = 5.0


@pytest.fixture
def proxy(
    server: TestServer,
    django_db_setup: None,  # noqa: ARG001  # the bank must be there
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Proxy]:
    """Give a proxy before this worker's bank, which is known by it as another node."""
    name = connections["default"].settings_dict["NAME"]
    with Proxy(server_port=server.cluster.port) as proxy, django_db_blocker.unblock():
        url = f"postgresql://bank_app:{server.password}@127.0.0.1:{proxy.port}/{name}"
        aliases.add(SILENT, database_settings(url, name=SILENT, allow_plaintext=False))
        yield proxy
        aliases.remove(SILENT)


class TestPatientFor:
    """A statement to a node that swallows it."""

    def test_ends_djangos_own_as_if_the_node_had_gone(self, proxy: Proxy) -> None:
        with connections[SILENT].cursor() as cursor:
            cursor.execute("SELECT 1")
            proxy.swallow()
            began = time.monotonic()
            with patient_for(0.5), pytest.raises(OperationalError):
                cursor.execute("SELECT 1")
        assert time.monotonic() - began < SOON_SECONDS

    def test_ends_the_ledgers_too(self, proxy: Proxy) -> None:
        with ledger_cursor(SILENT) as cursor:
            cursor.execute("SELECT 1")
        proxy.swallow()
        began = time.monotonic()
        with (
            patient_for(0.5),
            pytest.raises(psycopg.OperationalError),
            ledger_cursor(SILENT) as cursor,
        ):
            cursor.execute("SELECT 1")
        assert time.monotonic() - began < SOON_SECONDS

    def test_leaves_what_answers_in_time_alone(self, proxy: Proxy) -> None:
        proxy.slow_down(0.2)
        with patient_for(5), connections[SILENT].cursor() as cursor:
            for _time in range(3):
                cursor.execute("SELECT 1")
                assert cursor.fetchone() == (1,)

    @pytest.mark.usefixtures("proxy")
    def test_leaves_those_alone_who_wrap_statements_around_a_new_connection(self) -> None:
        def wrapper(execute: Any, *given: Any) -> Any:
            return execute(*given)

        with connections[SILENT].execute_wrapper(wrapper):
            connections[SILENT].ensure_connection()
        assert wrapper not in connections[SILENT].execute_wrappers
