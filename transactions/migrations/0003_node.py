"""Let branches have nodes of their own, and let a node say which one it is."""

from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from core.db.aliases import HEAD_OFFICE
from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


def name_head_office(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Give the bank its id; branches are named when they join."""
    if editor.connection.alias == HEAD_OFFICE:
        with editor.connection.cursor() as cursor:
            cursor.execute("SELECT ledger.name_node_v1('HO', 100::smallint, %s)", [uuid4()])


class Migration(migrations.Migration):
    """Which branches have nodes, and which node this is."""

    dependencies: ClassVar = [
        ("accounts", "0001_initial"),
        ("transactions", "0002_branches"),
    ]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Node",
            fields=[
                (
                    "branch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="accounts.branch",
                    ),
                ),
                ("database_url", models.TextField()),
                ("joined_at", models.DateTimeField()),
            ],
            options={"ordering": ["joined_at"]},
        ),
        RunSQLFile(SQL / "this_node.sql"),
        migrations.RunPython(name_head_office),
    ]
