"""Let the ledger book cash."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """Deposits and withdrawals, with their refusals."""

    dependencies: ClassVar = [("transactions", "0003_node")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in ("codes", "cash")]
