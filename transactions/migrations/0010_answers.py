"""Tell what was answered before, book cash under keys that know no place, and show holds."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = ("ids", "answers", "cash", "holds", "rights")


class Migration(migrations.Migration):
    """Keys, cash and holds; and ids of instants before 1970."""

    dependencies: ClassVar = [("transactions", "0009_payees_standing_orders_limits")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in FILES]
