"""Let who waited for an account leave it before its transfer is on disk, and be answered after."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """New functions beside those of earlier releases."""

    dependencies: ClassVar = [("transactions", "0024_short_crossings")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in ("post", "rights")]
