"""Let accounts move between nodes, and every function know of accounts that have."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
# Earlier releases made accounts without what `limits` adds to them, and the others read.
FILES = ("limits", "post", "batch", "holds", "accounts", "branches", "moving", "rights")


class Migration(migrations.Migration):
    """Moves."""

    dependencies: ClassVar = [("transactions", "0007_customer_accounts")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in FILES]
