"""A node that would lose money, or is older or newer than the code, is not worked on."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from celery.signals import beat_init, celeryd_init
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from pytest_django import Settings

from bankproject.celery import app as background
from bankproject.runtime.postgres import BankUrls
from core.db import fitness
from core.db.fitness import (
    UnfitNodeError,
    known_migrations,
    newer_migrations,
    pending_migrations,
    refuse_forgetful_nodes,
    refuse_unfit_nodes,
)
from tests.certificates import Authority, serving
from tests.servers import TestServer


@pytest.fixture
def superuser(fresh_bank: BankUrls, server: TestServer) -> Iterator[psycopg.Connection]:
    """Give the superuser's connection to the test's own bank."""
    database = fresh_bank.app.rpartition("/")[2]
    with psycopg.connect(server.superuser_url(database), autocommit=True) as superuser:
        yield superuser


def migrated(database: psycopg.Connection, name: str) -> None:
    """Let a later release have migrated a database."""
    database.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('transactions', %s, now())",
        [name],
    )


class TestNode:
    def test_that_is_fit_is_taken_without_loading_a_migration(
        self, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert superuser.execute("SHOW fsync").fetchone() == ("on",)
        monkeypatch.setattr(fitness, "MigrationExecutor", None)
        refuse_unfit_nodes()
        assert connection.connection is None

    def test_that_forgets_commits_is_refused(self, superuser: psycopg.Connection) -> None:
        name = superuser.info.dbname
        superuser.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        for refuse in (refuse_unfit_nodes, refuse_forgetful_nodes):
            with pytest.raises(UnfitNodeError, match="synchronous_commit = off"):
                refuse()

    def test_that_is_older_than_the_code_is_refused(self, superuser: psycopg.Connection) -> None:
        superuser.execute("DELETE FROM django_migrations WHERE app = 'transactions'")
        assert pending_migrations("default")[0].startswith("transactions.0001")
        with pytest.raises(UnfitNodeError, match=r"is older than the code .*manage.py migrate"):
            refuse_unfit_nodes()
        refuse_forgetful_nodes()

    @pytest.mark.parametrize("name", ["9998_without_post_v1", "9998_without_post_v1_since_9997"])
    def test_that_is_newer_than_the_code_is_refused_by_whoever_starts(
        self, superuser: psycopg.Connection, name: str
    ) -> None:
        migrated(superuser, name)
        says = rf"'default' is newer than the code \(1 migrations, first transactions.{name}\)"
        with pytest.raises(UnfitNodeError, match=says):
            refuse_unfit_nodes()
        for command in ("watch", "migrate"):
            with pytest.raises(CommandError, match=says):
                call_command(command, verbosity=0)
        for starting in (celeryd_init, beat_init):
            with pytest.raises(SystemExit, match=f"the bank cannot start: .*{says}"):
                starting.send(sender=background)

    def test_that_is_newer_and_gets_along_with_the_code_is_taken(
        self, superuser: psycopg.Connection, capfd: pytest.CaptureFixture[str]
    ) -> None:
        migrated(superuser, "9998_post_v2_since_0021")
        refuse_unfit_nodes()
        assert "9998_post_v2_since_0021" in capfd.readouterr().err

    @pytest.mark.usefixtures("fresh_bank")
    def test_that_does_not_answer_is_refused(self) -> None:
        port = connection.settings_dict["PORT"]
        connection.settings_dict["PORT"] = "9"
        try:
            with pytest.raises(UnfitNodeError, match="does not answer"):
                refuse_unfit_nodes()
        finally:
            connection.settings_dict["PORT"] = port

    @pytest.mark.usefixtures("fresh_bank")
    def test_whose_certificate_has_expired_is_refused(self, tmp_path: Path) -> None:
        files = Authority().sign(tmp_path, "localhost", days=-1)
        database = connection.settings_dict
        with serving(files, as_postgres=True) as port:
            usual = {**database}
            database["PORT"] = port
            database["OPTIONS"] = {"sslmode": "verify-ca", "sslrootcert": str(files.authority)}
            try:
                with pytest.raises(UnfitNodeError, match=r"not answer: .*certificate verify f"):
                    refuse_unfit_nodes()
            finally:
                database.update(usual)


class TestKnownMigrations:
    def test_are_those_that_django_loads(self) -> None:
        assert known_migrations() == {*MigrationLoader(None).disk_migrations}


class TestNewerMigrations:
    KNOWN = (("ours", "0001_initial"), ("ours", "0007_seventh"), ("theirs", "0001_squashed_0005_x"))

    def found(self, *applied: tuple[str, str]) -> dict[str, bool]:
        return newer_migrations(self.KNOWN, [*self.KNOWN, *applied])

    def test_are_those_numbered_past_what_the_code_has(self) -> None:
        found = self.found(("ours", "0010_b_since_0007"), ("ours", "0009_a_since_0008"))
        assert found == {"ours.0009_a_since_0008": False, "ours.0010_b_since_0007": True}
        assert self.found(("ours", "0008_by_hand")) == {"ours.0008_by_hand": False}

    def test_are_not_what_a_library_has_no_more_nor_apps_that_are_not_here(self) -> None:
        assert self.found(("theirs", "0004_old"), ("gone", "0009_old"), ("ours", "initial")) == {}


@pytest.mark.usefixtures("fresh_bank")
class TestMigrate:
    def test_works_as_the_owner_and_leaves_the_application_its_own_role(self) -> None:
        with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission"):
            cursor.execute("CREATE TABLE public.of_the_application ()")
        call_command("migrate", "sessions", "zero", verbosity=0)
        call_command("migrate", "sessions", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == ("bank_app",)
            cursor.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'django_session'")
            assert cursor.fetchone() == ("bank_owner",)

    def test_without_an_owner_is_refused(self, settings: Settings) -> None:
        settings.OWNER_DATABASE = None
        with pytest.raises(ImproperlyConfigured, match="OWNER_DATABASE_URL is not set"):
            call_command("migrate", verbosity=0)
