"""Let holds be told of as they change."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """A column, and what keeps it."""

    dependencies: ClassVar = [("transactions", "0010_answers")]
    operations: ClassVar = [RunSQLFile(SQL / "hold_changes.sql")]
