"""Migrate a bank database as its owner."""

from typing import Any

from django.core.management.commands import migrate

from core.db.owner import as_owner


class Command(migrate.Command):
    """Django's own command, connected as bank_owner: the application's role changes no schema."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate the database ``options["database"]``."""
        with as_owner(options["database"]):
            super().handle(*args, **options)
