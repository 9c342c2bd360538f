"""Post the usual transfer between nodes by few and plain statements; time is read under a lock."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """Functions of earlier releases as of now."""

    dependencies: ClassVar = [("transactions", "0023_payments_for_loans")]
    operations: ClassVar = [
        RunSQLFile(SQL / f"{name}.sql") for name in ("post", "branches", "rights")
    ]
