"""Let refusals stand of transfers that were sent after accounts which have moved."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """Refusals that move along with their account."""

    dependencies: ClassVar = [("transactions", "0011_hold_changes")]
    operations: ClassVar = [RunSQLFile(SQL / "chains.sql")]
