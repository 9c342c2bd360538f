"""Find people by their names, e-mail addresses and telephone numbers, and what was asked about them."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """Indexes, and the functions that they and the queries share."""

    dependencies: ClassVar = [("accounts", "0007_credential_changes")]
    operations: ClassVar = [RunSQLFile(SQL / "people_search.sql")]
