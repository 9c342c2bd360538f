"""A database becomes a branch's node, or is refused with a reason and changes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg import sql

from accounts.models import Branch
from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import ROLES, BankUrls, Cluster, create_bank, embedded
from core import clock
from core.db import fitness
from core.db.fitness import UnfitNodeError, refuse_unfit_nodes
from tests.branches import MUM, Branches
from tests.factories import BRANCH, bank_accounts
from tests.servers import TestServer
from transactions.branches import registry
from transactions.branches.joining import CannotJoin, join_branch
from transactions.branches.models import Node


@pytest.fixture
def empty(fresh_bank: BankUrls, server: TestServer) -> Iterator[BankUrls]:
    """Give an empty database with the bank's roles, that a branch could have."""
    name = f"new_{fresh_bank.app.rpartition('/')[2]}"
    urls = server.create_bank(name)
    try:
        yield urls
    finally:
        connections.close_all()
        server.drop(name)


def join(urls: BankUrls, *, code: str = "BLR", number: int | None = None) -> Branch:
    """Let a database join as Bengaluru's."""
    return join_branch(code=code, name="Bengaluru", url=urls.app, number=number, now=clock.now())


def refused(urls: BankUrls, *, code: str = "BLR", number: int | None = None) -> str:
    """Return why a database cannot join; check that nothing has changed by it."""
    before = list(Branch.objects.values()), list(Node.objects.values()), set(connections.settings)
    with pytest.raises(CannotJoin) as refusal:
        join(urls, code=code, number=number)
    after = list(Branch.objects.values()), list(Node.objects.values()), set(connections.settings)
    assert before == after
    assert "postgresql://" not in str(refusal.value)
    return str(refusal.value)


class TestJoining:
    def test_makes_an_empty_database_a_branch(self, empty: BankUrls) -> None:
        branch = join(empty)
        assert (branch.code, branch.number, branch.name) == ("BLR", 201, "Bengaluru")
        assert registry.nodes() == ["default", "BLR"]
        assert fitness.pending_migrations("BLR") == []
        refuse_unfit_nodes()
        with connections["BLR"].cursor() as cursor:
            cursor.execute("SELECT code, branch_number, current_user FROM ledger.this_node")
            assert cursor.fetchone() == ("BLR", 201, "bank_app")

    def test_may_be_repeated(self, empty: BankUrls) -> None:
        assert join(empty) == join(empty)
        assert Node.objects.count() == 1

    def test_goes_on_where_it_was_broken_off(self, empty: BankUrls) -> None:
        join(empty, number=305)
        Node.objects.all().delete()
        Branch.objects.all().delete()
        registry.forget()
        assert join(empty).number == 305

    def test_takes_the_next_number(self, branches: Branches, empty: BankUrls) -> None:
        assert branches
        assert join(empty).number == 203

    def test_is_noticed_by_a_process_that_runs(self, fresh_bank: BankUrls, empty: BankUrls) -> None:
        watching = (
            "import django, time; django.setup();"
            "from transactions.branches import registry as r; from django.db import connections\n"
            "print(r.nodes(), flush=True); begun = time.monotonic()\n"
            "while len(r.nodes()) == 1 and time.monotonic() - begun < 30: time.sleep(0.01)\n"
            "print(time.time(), connections['BLR'].cursor().execute('SELECT 1'), flush=True)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", watching],
            env={**os.environ, "DATABASE_URL": fresh_bank.app},
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            assert other.stdout
            assert other.stdout.readline() == "['default']\n"
            join(empty)
            joined_at = clock.now().timestamp()
            noticed_at = float(other.stdout.readline().split()[0])
        assert noticed_at - joined_at < 2

    def test_is_refused_to_an_empty_database_in_place_of_the_branchs_own(
        self, branches: Branches, server: TestServer
    ) -> None:
        name = branches.delhi.app.rpartition("/")[2]
        connections["DEL"].close()
        server.drop(name)
        made_anew = server.create_bank(name)
        assert "branch DEL has a ledger already, and this database is not it" in refused(
            made_anew, code="DEL"
        )
        with psycopg.connect(made_anew.owner) as database:
            found = database.execute("SELECT to_regnamespace('ledger')").fetchone()
        assert found == (None,)

    def test_is_a_command(self, empty: BankUrls, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("add_branch", "BLR", "Bengaluru", empty.app, number=210)
        shown = capsys.readouterr()
        assert shown.out == "Branch BLR Bengaluru, number 210, has joined\n"
        with pytest.raises(CommandError, match="mum cannot join: 'mum' is no code for a branch"):
            call_command("add_branch", "mum", "Mumbai", empty.app)


class TestBranch:
    def test_with_a_bad_code_is_refused(self, fresh_bank: BankUrls) -> None:
        for code in ("mum", "M", "MUM-1", "HO", "REPLICA", "ABCDEFGHI", "1AB", ""):
            assert f"{code!r} is no code for a branch" in refused(fresh_bank, code=code)

    def test_with_a_bad_name_is_refused(self, fresh_bank: BankUrls) -> None:
        for name in ("", " ", "x" * 81, "Ben\ngaluru"):
            with pytest.raises(CannotJoin, match="1 to 80 printable characters"):
                join_branch(code="BLR", name=name, url=fresh_bank.app, number=None, now=clock.now())

    def test_that_has_a_node_is_refused(self, branches: Branches) -> None:
        assert "MUM has a node already" in refused(branches.delhi, code=MUM)

    def test_with_another_branchs_number_is_refused(
        self, branches: Branches, empty: BankUrls
    ) -> None:
        assert branches
        assert "another branch has the number 202" in refused(empty, number=202)

    def test_with_an_impossible_number_is_refused(self, empty: BankUrls) -> None:
        for number in (-1, 99, 1000):
            assert "one of 100 to 999" in refused(empty, number=number)

    def test_with_accounts_at_the_head_office_is_refused(self, empty: BankUrls) -> None:
        bank_accounts()
        assert "has accounts at the head office" in refused(empty, number=BRANCH)


class TestDatabase:
    @pytest.mark.usefixtures("fresh_bank")
    def test_with_a_bad_address_is_refused_without_its_secrets(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="address of BLR must be") as refusal:
            join_branch(
                code="BLR", name="B", url="mysql://u:secret@h/b", number=None, now=clock.now()
            )
        assert "secret" not in str(refusal.value)

    @pytest.mark.usefixtures("fresh_bank")
    def test_beyond_this_machine_without_tls_is_refused(self) -> None:
        url = "postgresql://bank_app:x@db.example/bank"
        with pytest.raises(ImproperlyConfigured, match=r"db\.example without TLS"):
            join_branch(code="BLR", name="B", url=url, number=None, now=clock.now())

    def test_that_does_not_answer_is_refused(self, fresh_bank: BankUrls) -> None:
        elsewhere = replace(fresh_bank, app="postgresql://bank_app:hidden@127.0.0.1:9/bank")
        assert "refused" in refused(elsewhere).lower()

    def test_of_the_head_office_is_refused(self, fresh_bank: BankUrls) -> None:
        assert "the database is the head office's ledger" in refused(fresh_bank)

    def test_of_another_branch_is_refused(self, branches: Branches) -> None:
        assert "the database is the ledger of branch MUM" in refused(branches.mumbai)

    def test_of_another_bank_is_refused(self, branches: Branches) -> None:
        with psycopg.connect(branches.delhi.owner) as node:
            node.execute("ALTER TABLE ledger.this_node DISABLE TRIGGER USER")
            node.execute("UPDATE ledger.this_node SET bank = gen_random_uuid()")
        assert "the ledger of DEL of another bank" in refused(branches.delhi)

    def test_with_other_tables_is_refused(self, empty: BankUrls) -> None:
        with psycopg.connect(empty.owner) as database:
            database.execute("CREATE TABLE public.notes ()")
        assert "has tables that are not a branch's" in refused(empty)

    def test_that_is_older_is_migrated(self, empty: BankUrls) -> None:
        join(empty)
        with psycopg.connect(empty.owner) as database:
            database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        join(empty)
        assert fitness.pending_migrations("BLR") == []

    def test_that_is_newer_is_refused(self, empty: BankUrls) -> None:
        join(empty)
        with psycopg.connect(empty.owner) as database:
            database.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('transactions', '9999_next', now())"
            )
        assert "newer than the code (transactions.9999_next)" in refused(empty)

    def test_that_forgets_commits_is_refused(self, empty: BankUrls, server: TestServer) -> None:
        with psycopg.connect(server.superuser_url(), autocommit=True) as superuser:
            name = empty.app.rpartition("/")[2]
            superuser.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        assert "synchronous_commit = off: it would lose money" in refused(empty)

    def test_on_an_old_server_is_refused(
        self, empty: BankUrls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fitness, "OLDEST_MAJOR", 99)
        assert "is on PostgreSQL 18; 99 or newer is needed" in refused(empty)

    def test_that_cannot_write_every_name_is_refused(
        self, fresh_bank: BankUrls, server: TestServer
    ) -> None:
        name = f"latin_{fresh_bank.app.rpartition('/')[2]}"
        how = "TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
        server.run(sql.SQL("CREATE DATABASE {} " + how).format(sql.Identifier(name)))
        try:
            says = "'BLR' is encoded in LATIN1, not UTF8: not every name could be written"
            assert says in refused(server.create_bank(name))
        finally:
            connections.close_all()
            server.drop(name)

    @pytest.mark.usefixtures("fresh_bank")
    def test_on_a_server_that_cannot_prepare_is_refused(
        self, tmp_path: Path, server: TestServer
    ) -> None:
        port = first_free(server.cluster.port + 2_000)
        cluster = Cluster(binaries=embedded(), folder=tmp_path / "postgres", port=port)
        cluster.create(password=server.password)
        with (cluster.folder / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("max_prepared_transactions = 0\n")
        cluster.start()
        try:
            urls = create_bank(
                cluster=cluster,
                superuser_password=server.password,
                database="bank",
                passwords=dict.fromkeys(ROLES, server.password),
            )
            assert "runs with max_prepared_transactions = 0" in refused(urls)
        finally:
            cluster.stop(mode="immediate")


class TestStart:
    def test_goes_on_without_a_branch_that_is_down(
        self, branches: Branches, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert branches
        delhi = connections["DEL"].settings_dict
        delhi["PORT"], port = "9", delhi["PORT"]
        try:
            refuse_unfit_nodes()
        finally:
            delhi["PORT"] = port
        assert "branch_is_down" in capfd.readouterr().err

    def test_with_a_branch_of_an_older_schema_is_refused(self, branches: Branches) -> None:
        with psycopg.connect(branches.delhi.owner) as database:
            database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        with pytest.raises(UnfitNodeError, match="'DEL' is older than the code"):
            refuse_unfit_nodes()

    def test_with_a_branch_that_never_joined_is_refused(self, branches: Branches) -> None:
        assert started(branches, f"XYZ={branches.mumbai.app}") == (
            "BRANCH_DATABASE_URLS names XYZ, which is no branch of this bank; "
            "`manage.py add_branch XYZ NAME URL` makes it one"
        )

    def test_with_another_branchs_database_is_refused(self, branches: Branches) -> None:
        assert started(branches, f"MUM={branches.delhi.app}") == (
            "database 'MUM' is not branch MUM's: it is the ledger of branch DEL"
        )


def started(branches: Branches, urls: str) -> str:
    """Return why the bank does not start with some addresses of branches."""
    done = subprocess.run(
        [sys.executable, "-c", "import bankproject.wsgi"],
        env={
            **os.environ,
            "DATABASE_URL": branches.head_office.app,
            "BRANCH_DATABASE_URLS": urls,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, json.dumps(done.stderr)
    return done.stderr.strip().splitlines()[-1].removeprefix("the bank cannot start: ")
