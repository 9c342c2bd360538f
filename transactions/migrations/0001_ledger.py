"""Create the ledger: schema, functions, guards, partitions, rights, currencies."""

from pathlib import Path
from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from core.db.migrations import RunSQLFile
from core.money import CURRENCIES

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = (
    "schema", "codes", "guards", "ids", "partitions", "requests", "post", "batch", "holds",
    "reversals", "accounts", "tails", "reads", "rights",
)  # fmt: skip


def add_currencies(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Make the currencies known that the code knows."""
    with editor.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ledger.currency (code, numeric_code, exponent) VALUES (%s, %s, %s)",
            [(c.code, c.number, c.exponent) for c in CURRENCIES.values()],
        )


class Migration(migrations.Migration):
    """The ledger of a node."""

    initial = True
    dependencies: ClassVar = []
    operations: ClassVar = [
        *(RunSQLFile(SQL / f"{name}.sql") for name in FILES),
        migrations.RunPython(add_currencies),
    ]
