"""Let nothing but lending move what a loan owes: other transfers to its number are refused."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = ("codes", "post", "batch", "holds", "accounts", "upgrade_0023")


class Migration(migrations.Migration):
    """Functions of earlier releases as of now."""

    dependencies: ClassVar = [("transactions", "0022_disputes_and_closing")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in FILES]
