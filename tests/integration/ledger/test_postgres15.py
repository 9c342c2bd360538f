"""The ledger on the oldest PostgreSQL it supports."""

from datetime import UTC, datetime

import psycopg
import pytest

from bankproject.runtime.postgres import Binaries
from tests.proofs._bank import own_bank


def test_works_the_same_on_postgresql_15(postgres15: Binaries) -> None:
    with own_bank(binaries=postgres15, settings=["synchronous_commit = off"]) as bank:
        worker = bank.start_python("tests.proofs._on_another_server", bank.superuser_url)
        said, _none = worker.communicate(timeout=120)
        assert worker.returncode == 0, said
        month = f"journal_{datetime.now(UTC):%Y_%m}"
        with psycopg.connect(bank.superuser_url, autocommit=True) as superuser:
            (version,) = superuser.execute("SHOW server_version_num").fetchone() or ("",)
            assert version.startswith("15")
            for statement in (f"DELETE FROM ledger.{month}", f"TRUNCATE ledger.{month}"):
                with pytest.raises(psycopg.Error) as refused:
                    superuser.execute(f"SET session_replication_role = replica; {statement}")
                assert refused.value.sqlstate == "BK090"
        assert bank.manage("check_books").returncode == 0
