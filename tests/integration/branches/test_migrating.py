"""Which node gets which part of the schema."""

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from core.db.fitness import pending_migrations
from tests.branches import DEL, MUM, Branches

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def forget_last_migration(urls: str) -> None:
    """Make a database one of an older release, as far as Django can tell."""
    with psycopg.connect(urls) as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'sessions'")


class TestMigrate:
    def test_gives_a_branch_the_ledger_alone(self, branches: Branches) -> None:
        with psycopg.connect(branches.mumbai.owner) as node:
            assert node.execute(TABLES).fetchall() == [("django_migrations",)]
            assert node.execute("SELECT to_regclass('ledger.journal')").fetchone() != (None,)
        assert pending_migrations(MUM) == []

    def test_reaches_every_node(self, branches: Branches) -> None:
        for urls in (branches.mumbai, branches.delhi):
            forget_last_migration(urls.owner)
        assert pending_migrations(DEL)
        call_command("migrate", verbosity=0)
        assert pending_migrations(MUM) == pending_migrations(DEL) == []

    def test_reaches_the_named_node_alone(self, branches: Branches) -> None:
        for urls in (branches.mumbai, branches.delhi):
            forget_last_migration(urls.owner)
        call_command("migrate", database=DEL, verbosity=0)
        assert pending_migrations(MUM)
        assert pending_migrations(DEL) == []

    def test_changes_nothing_when_it_only_looks(self, branches: Branches) -> None:
        forget_last_migration(branches.delhi.owner)
        with pytest.raises(SystemExit):
            call_command("migrate", database=DEL, check_unapplied=True, verbosity=0)
        assert pending_migrations(DEL) == ["sessions.0001_initial"]

    def test_changes_nothing_when_a_node_is_down(self, branches: Branches) -> None:
        forget_last_migration(branches.mumbai.owner)
        delhi = connections[DEL].settings_dict
        port, delhi["PORT"] = delhi["PORT"], "9"
        try:
            with pytest.raises(CommandError, match="'DEL' does not answer, nothing was migrated"):
                call_command("migrate", verbosity=0)
        finally:
            delhi["PORT"] = port
        assert pending_migrations(MUM)
