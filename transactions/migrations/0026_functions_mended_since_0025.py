"""Tell references from memos in a batch's hash, queue before rows are locked, free limits in time.

A batch of references without memos from before is not known again: its key is refused as used.
"""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = ("post", "batch", "answers", "holds", "reversals", "rights")


class Migration(migrations.Migration):
    """Functions of earlier releases as of now."""

    dependencies: ClassVar = [("transactions", "0025_hot_accounts_since_0024")]
    operations: ClassVar = [RunSQLFile(SQL / f"{name}.sql") for name in FILES]
