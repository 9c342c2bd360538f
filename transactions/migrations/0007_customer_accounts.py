"""Let customers' accounts be opened and changed once for each request, and the head office follow."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    """Functions with keys, and the events' transaction ids."""

    dependencies: ClassVar = [("transactions", "0006_operations")]
    operations: ClassVar = [RunSQLFile(SQL / "customer_accounts.sql")]
