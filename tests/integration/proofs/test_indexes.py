"""What the bank looks up is found by an index; `make prove NAME=indexes` in short."""

import psycopg
import pytest
from django.db import connections

from bankproject.runtime.postgres import BankUrls
from tests.proofs._indexed import LookUp, fill, look_ups, looked_up
from tests.servers import TestServer

ROWS = 20_000


@pytest.fixture(scope="module")
def filled(shared_bank: BankUrls, server: TestServer) -> None:
    """Give a bank with rows enough for PostgreSQL to prefer an index."""
    database = shared_bank.app.rpartition("/")[2]
    with psycopg.connect(server.superuser_url(database), autocommit=True) as superuser:
        fill(superuser, rows=ROWS)
    connections.close_all()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("look_up", look_ups(), ids=lambda one: one.what)
def test_is_found_by_an_index(look_up: LookUp) -> None:
    assert looked_up(look_up).failure is None
