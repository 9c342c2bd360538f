"""Let the ledger work with other nodes: decisions, arrivals, moved accounts; and functions as of now.

A ledger made by an earlier release is brought to what 0001 makes today: the functions' files are run
anew, since each may be run again.
"""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = (
    "upgrade_0002", "codes", "ids", "requests", "post", "batch", "holds", "reversals", "accounts",
    "tails", "reads", "branch_schema", "branches", "rights",
)  # fmt: skip


class Migration(migrations.Migration):
    """The ledger of one node among others."""

    dependencies: ClassVar = [("transactions", "0001_ledger")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in FILES]
