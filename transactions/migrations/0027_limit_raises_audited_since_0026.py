"""Audit who asked for raises of limits and who took them back; let no audit be rewritten."""

import uuid
from pathlib import Path

import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0026_functions_mended_since_0025"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LimitRaiseEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("account", models.BigIntegerField()),
                ("limit", models.CharField(max_length=16)),
                ("minor", models.BigIntegerField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("applies_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("cooling", "cooling off"),
                            ("done", "done"),
                            ("refused", "refused"),
                            ("cancelled", "cancelled"),
                        ],
                        default="cooling",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="transactions.limitraise",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="limitraise",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "transactions_limitraiseevent" ("account", "applies_at", "asked_at", "asked_by_id", "id", "limit", "minor", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "state") VALUES (NEW."account", NEW."applies_at", NEW."asked_at", NEW."asked_by_id", NEW."id", NEW."limit", NEW."minor", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."reason", NEW."state"); RETURN NULL;',
                    hash="d1f8f9004a2c4c2f6fe4f82d6eb2187aa03d9df3",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_927b6",
                    table="transactions_limitraise",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="limitraise",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "transactions_limitraiseevent" ("account", "applies_at", "asked_at", "asked_by_id", "id", "limit", "minor", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "state") VALUES (NEW."account", NEW."applies_at", NEW."asked_at", NEW."asked_by_id", NEW."id", NEW."limit", NEW."minor", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."reason", NEW."state"); RETURN NULL;',
                    hash="a9287db507bedbdf9603d0f51652a7b4bd409276",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c26a3",
                    table="transactions_limitraise",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="limitraise",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "transactions_limitraiseevent" ("account", "applies_at", "asked_at", "asked_by_id", "id", "limit", "minor", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "state") VALUES (OLD."account", OLD."applies_at", OLD."asked_at", OLD."asked_by_id", OLD."id", OLD."limit", OLD."minor", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."reason", OLD."state"); RETURN NULL;',
                    hash="c954cf29328e2f9d20a4e0d9c2bf789289a2b700",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_eb8d6",
                    table="transactions_limitraise",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="limitraiseevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f6da5736fb2a50612a15a9719cc29cc5512317e3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d9d55",
                    table="transactions_limitraiseevent",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQLFile(SQL / "audit_rights.sql", model="limitraiseevent"),
    ]
