"""Let the cash of a day move along with its account; and functions of earlier releases as of now."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = (
    "upgrade_0013", "ids", "reversals", "customer_accounts", "cash_elsewhere", "cash", "moving",
    "rights",
)  # fmt: skip


class Migration(migrations.Migration):
    """A table, and what reads and fills it."""

    dependencies: ClassVar = [("transactions", "0012_chains")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in FILES]
