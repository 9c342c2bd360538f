"""Let the operation log find what was done to accounts by time."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """An index."""

    dependencies: ClassVar = [("transactions", "0005_scheduled_transfer")]
    operations: ClassVar = [RunSQLFile(SQL / "operations.sql")]
