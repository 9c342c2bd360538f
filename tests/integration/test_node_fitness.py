"""A node that would lose money, or is older than the code, is not worked on."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import ProgrammingError, connection
from pytest_django import Settings

from bankproject.runtime.postgres import BankUrls
from core.db.fitness import (
    UnfitNodeError,
    pending_migrations,
    refuse_forgetful_nodes,
    refuse_unfit_nodes,
)
from tests.servers import TestServer


@pytest.fixture
def superuser(fresh_bank: BankUrls, server: TestServer) -> Iterator[psycopg.Connection]:
    """Give the superuser's connection to the test's own bank."""
    database = fresh_bank.app.rpartition("/")[2]
    with psycopg.connect(server.superuser_url(database), autocommit=True) as superuser:
        yield superuser


class TestNode:
    def test_that_is_fit_is_taken(self, superuser: psycopg.Connection) -> None:
        assert superuser.execute("SHOW fsync").fetchone() == ("on",)
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
