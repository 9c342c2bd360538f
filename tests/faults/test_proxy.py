"""The proxy does the harm it is told to do, and no other."""

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from bankproject.runtime.postgres import SUPERUSER
from tests.faults._proxy import Cut, Moment, Proxy
from tests.faults._wire import Conversation, Statement, statements_in
from tests.servers import TestServer


@pytest.fixture
def proxy(server: TestServer) -> Iterator[Proxy]:
    with Proxy(server_port=server.cluster.port) as proxy:
        yield proxy


@pytest.fixture
def url(server: TestServer, proxy: Proxy) -> str:
    password = server.password
    return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{proxy.port}/postgres"


@pytest.fixture
def gid(server: TestServer) -> Iterator[str]:
    name = f"faults-{uuid4()}"
    yield name
    with psycopg.connect(server.superuser_url(), autocommit=True) as direct:
        if is_prepared(server, name):
            direct.execute(f"ROLLBACK PREPARED '{name}'")


def is_prepared(server: TestServer, gid: str) -> bool:
    with psycopg.connect(server.superuser_url()) as direct:
        found = direct.execute("SELECT FROM pg_prepared_xacts WHERE gid = %s", [gid])
        return found.fetchone() is not None


def prepare(connection: psycopg.Connection, gid: str) -> None:
    connection.execute(f"BEGIN; SELECT txid_current(); PREPARE TRANSACTION '{gid}'")


class TestReadingThePassage:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("BEGIN; SELECT 1; PREPARE TRANSACTION 'a'", {Statement.PREPARE}),
            ("commit  prepared 'a'", {Statement.COMMIT_PREPARED}),
            ("COMMIT", {Statement.COMMIT}),
            ("SELECT 'committed'", set()),
            ("SELECT 1; COMMIT", {Statement.COMMIT}),
            ("ROLLBACK PREPARED 'a'", set()),
        ],
    )
    def test_knows_the_statements_of_two_phase_commit(
        self, text: str, found: set[Statement]
    ) -> None:
        assert statements_in(text) == found

    def test_remembers_texts_that_are_run_by_their_names(self) -> None:
        talk = Conversation()
        assert talk.heard(b"P", b"later\0COMMIT\0\0\0") == frozenset()
        assert talk.heard(b"B", b"\0later\0\0\0\0\0\0\0") == {Statement.COMMIT}


class TestPassing:
    def test_carries_large_answers_and_parameters(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute("SELECT repeat(%s, 200000)", ["money"]).fetchone()
        assert row == ("money" * 200_000,)

    def test_tells_the_client_what_the_server_refuses(self, url: str) -> None:
        with (
            psycopg.connect(url, autocommit=True) as connection,
            pytest.raises(psycopg.errors.DivisionByZero),
        ):
            connection.execute("SELECT 1 / 0")

    def test_is_slow_on_demand(self, url: str, proxy: Proxy) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            proxy.slow_down(0.1)
            started = time.monotonic()
            connection.execute("SELECT 1")
            assert 0.2 <= time.monotonic() - started < 1
            proxy.heal()

    def test_resets_what_is_open_and_what_comes_until_it_heals(
        self, url: str, proxy: Proxy
    ) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            proxy.reset()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        proxy.heal()
        psycopg.connect(url).close()

    def test_delivers_late_what_a_black_hole_held_back(
        self, url: str, proxy: Proxy, server: TestServer, gid: str
    ) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            proxy.swallow()
            sender = threading.Thread(target=prepare, args=(connection, gid))
            sender.start()
            time.sleep(0.3)
            assert sender.is_alive()
            assert not is_prepared(server, gid)
            proxy.heal()
            sender.join(5)
            assert is_prepared(server, gid)


class TestCutting:
    def test_before_keeps_the_statement_from_the_server(
        self, url: str, proxy: Proxy, server: TestServer, gid: str
    ) -> None:
        cut = Cut(statement=Statement.PREPARE, moment=Moment.BEFORE)
        proxy.cut(cut)
        connection = psycopg.connect(url, autocommit=True)
        with connection, pytest.raises(psycopg.OperationalError):
            prepare(connection, gid)
        assert cut.made.is_set()
        assert not is_prepared(server, gid)

    def test_after_keeps_the_answer_from_the_client(
        self, url: str, proxy: Proxy, server: TestServer, gid: str
    ) -> None:
        cut = Cut(statement=Statement.PREPARE, moment=Moment.AFTER)
        proxy.cut(cut)
        connection = psycopg.connect(url, autocommit=True)
        with connection, pytest.raises(psycopg.OperationalError):
            prepare(connection, gid)
        assert cut.made.is_set()
        assert is_prepared(server, gid)

    def test_falls_once(self, url: str, proxy: Proxy, server: TestServer, gid: str) -> None:
        proxy.cut(Cut(statement=Statement.PREPARE, moment=Moment.BEFORE))
        with (
            psycopg.connect(url, autocommit=True) as connection,
            pytest.raises(psycopg.OperationalError),
        ):
            prepare(connection, gid)
        with psycopg.connect(url, autocommit=True) as connection:
            prepare(connection, gid)
        assert is_prepared(server, gid)

    def test_finds_a_statement_of_the_extended_protocol(self, url: str, proxy: Proxy) -> None:
        cut = Cut(statement=Statement.COMMIT, moment=Moment.AFTER)
        proxy.cut(cut)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("BEGIN")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("COMMIT", prepare=True)
        assert cut.made.is_set()

    def test_leaves_other_clients_alone(self, url: str, proxy: Proxy) -> None:
        cut = Cut(statement=Statement.COMMIT, moment=Moment.BEFORE, application="coordinator")
        proxy.cut(cut)
        with psycopg.connect(url, application_name="somebody") as connection:
            connection.execute("SELECT 1")
            connection.commit()
        assert not cut.made.is_set()
