"""A bank on servers that it is given, and as an ordinary user."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import ROLES, BankUrls, Binaries, Cluster, create_bank
from tests.functional.runtime.terminal import RUN, Bank
from tests.functional.runtime.views import NOBODY, ordinary_user

# What is refused beyond the machine, and allowed to who says so.
PLAINTEXT = {
    "PUBLIC_URL": "http://bank.example",
    "ALLOWED_HOSTS": "localhost,bank.example",
    "ALLOW_PLAINTEXT": "1",
}


@dataclass(frozen=True, kw_only=True)
class GivenServer:
    """A PostgreSQL 15 server with an empty bank, as an operator would have made them."""

    cluster: Cluster
    superuser: str
    urls: BankUrls

    def environment(self) -> dict[str, str]:
        """Return the settings that lead a bank to it."""
        return {"DATABASE_URL": self.urls.app, "OWNER_DATABASE_URL": self.urls.owner}

    def set(self, statement: str) -> None:
        """Change the server's settings."""
        with psycopg.connect(self.superuser, autocommit=True) as server:
            server.execute(statement)
            server.execute("SELECT pg_reload_conf()")


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Give a bank that was never opened."""
    return Bank(tmp_path / "var")


@pytest.fixture(scope="module")
def given(postgres15: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GivenServer]:
    """Give a running PostgreSQL 15 with a bank that is empty at first; the last test stops it."""
    port = first_free(24_000 + os.getpid() % 1000)
    folder = tmp_path_factory.mktemp("given") / "data"
    cluster = Cluster(binaries=postgres15, folder=folder, port=port)
    password = secrets.token_urlsafe()
    cluster.create(password=password)
    cluster.start()
    try:
        urls = create_bank(
            cluster=cluster,
            superuser_password=password,
            database="bank",
            passwords=dict.fromkeys(ROLES, password),
        )
        superuser = cluster.url(database="bank", role="postgres", password=password)
        yield GivenServer(cluster=cluster, superuser=superuser, urls=urls)
    finally:
        cluster.stop(mode="immediate")


class TestGivenServer:
    def test_replaces_the_embedded_one_and_plaintext_may_be_allowed(
        self, bank: Bank, given: GivenServer
    ) -> None:
        with bank.run(**given.environment(), **PLAINTEXT) as terminal:
            bank.wait_until_open(terminal)
            assert "WARNING: PUBLIC_URL reaches bank.example without TLS" in terminal.shown
            assert not bank.pid("postgres")
            assert bank.pid("valkey")
            with psycopg.connect(given.superuser) as server:
                rows = server.execute(
                    "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'bank' "
                    "AND usename LIKE 'bank\\_%'"
                )
                assert rows.fetchall() == [("bank_app",)]

    def test_that_would_lose_money_is_refused(self, bank: Bank, given: GivenServer) -> None:
        given.set("ALTER SYSTEM SET fsync = off")
        try:
            with bank.run(**given.environment()) as terminal:
                assert terminal.wait() == 1
        finally:
            given.set("ALTER SYSTEM RESET fsync")
        assert "runs with fsync = off: it would lose money" in terminal.shown

    def test_without_an_owner_is_refused(self, bank: Bank, given: GivenServer) -> None:
        with bank.run(DATABASE_URL=given.urls.app) as terminal:
            assert terminal.wait() == 1
        assert "OWNER_DATABASE_URL is not set" in terminal.shown

    def test_that_is_down_is_refused(self, bank: Bank, given: GivenServer) -> None:
        given.cluster.stop(mode="fast")
        with bank.run(**given.environment()) as terminal:
            assert terminal.wait() == 1
        assert "PostgreSQL does not answer" in terminal.shown


class TestPlaintext:
    @pytest.mark.parametrize(
        ("name", "address"),
        [
            ("DATABASE_URL", "postgresql://bank_app:x@db.example/bank"),
            ("DATABASE_URL", "postgresql://bank_app:x@127.0.0.1/bank?hostaddr=192.0.2.1"),
            ("REDIS_URL", "redis://192.0.2.1/0"),
            ("PUBLIC_URL", "http://bank.example"),
        ],
    )
    def test_beyond_the_machine_is_refused(self, bank: Bank, name: str, address: str) -> None:
        settings = {
            "DATABASE_URL": "postgresql://bank_app:x@localhost/bank",
            "OWNER_DATABASE_URL": "postgresql://bank_owner:x@localhost/bank",
            name: address,
        }
        with bank.run(**settings) as terminal:
            assert terminal.wait() == 1
        assert f"{name} reaches " in terminal.shown
        assert "without TLS" in terminal.shown


@pytest.mark.usefixtures("as_root")
class TestOrdinaryUser:
    def test_runs_a_bank(self) -> None:
        with tempfile.TemporaryDirectory() as folder, ordinary_user() as prefix:
            os.chown(folder, NOBODY, NOBODY)
            bank = Bank(Path(folder) / "var")
            with bank.run(RUN, prefix=prefix) as terminal:
                bank.wait_until_open(terminal)
                users = {process.uids().effective for process in bank.processes()}
                terminal.process.terminate()
                bank.wait_until_gone()
            assert users == {NOBODY}
