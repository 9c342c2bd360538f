"""Cards, audited as people and accounts are."""

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
        ("accounts", "0010_language"),
    ]

    operations = [
        migrations.CreateModel(
            name="Card",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("debit", "debit card"), ("credit", "credit card")], max_length=6
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[("junior", "Junior"), ("classic", "Classic"), ("gold", "Gold")],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "to be activated"),
                            ("active", "active"),
                            ("frozen", "frozen"),
                            ("blocked", "blocked"),
                            ("expired", "expired"),
                        ],
                        default="issued",
                        max_length=8,
                    ),
                ),
                ("last_four", models.CharField(blank=True, max_length=4)),
                (
                    "number_digest",
                    models.CharField(
                        blank=True, editable=False, max_length=64, null=True, unique=True
                    ),
                ),
                ("expires_on", models.DateField(null=True)),
                ("payment_limit", models.BigIntegerField()),
                ("daily_limit", models.BigIntegerField()),
                ("monthly_limit", models.BigIntegerField()),
                ("issued_at", models.DateTimeField()),
                (
                    "external_reference",
                    models.CharField(blank=True, max_length=64, null=True, unique=True),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="accounts.account",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "card",
                "verbose_name_plural": "cards",
                "ordering": ["-issued_at", "-pk"],
                "permissions": [("govern_card", "Can ask for customers' cards and block them")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="CardEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(editable=False, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("debit", "debit card"), ("credit", "credit card")], max_length=6
                    ),
                ),
                (
                    "tier",
                    models.CharField(
                        choices=[("junior", "Junior"), ("classic", "Classic"), ("gold", "Gold")],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "to be activated"),
                            ("active", "active"),
                            ("frozen", "frozen"),
                            ("blocked", "blocked"),
                            ("expired", "expired"),
                        ],
                        default="issued",
                        max_length=8,
                    ),
                ),
                ("last_four", models.CharField(blank=True, max_length=4)),
                ("expires_on", models.DateField(null=True)),
                ("payment_limit", models.BigIntegerField()),
                ("daily_limit", models.BigIntegerField()),
                ("monthly_limit", models.BigIntegerField()),
                ("issued_at", models.DateTimeField()),
                ("external_reference", models.CharField(blank=True, max_length=64, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "person",
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
                        to="accounts.card",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["active", "frozen"]), _negated=True),
                    models.Q(
                        models.Q(("last_four", ""), _negated=True), ("expires_on__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="card_in_use_has_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("payment_limit__gte", 0), ("daily_limit__gte", 0), ("monthly_limit__gte", 0)
                ),
                name="card_limits_not_negative",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="card",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_cardevent" ("account_id", "daily_limit", "expires_on", "external_reference", "id", "issued_at", "kind", "last_four", "monthly_limit", "payment_limit", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "tier") VALUES (NEW."account_id", NEW."daily_limit", NEW."expires_on", NEW."external_reference", NEW."id", NEW."issued_at", NEW."kind", NEW."last_four", NEW."monthly_limit", NEW."payment_limit", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."state", NEW."tier"); RETURN NULL;',
                    hash="f9189680e1006b0d00460556ecb493d6ee8a6315",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_077d7",
                    table="accounts_card",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="card",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."daily_limit" IS DISTINCT FROM (NEW."daily_limit") OR OLD."expires_on" IS DISTINCT FROM (NEW."expires_on") OR OLD."external_reference" IS DISTINCT FROM (NEW."external_reference") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."issued_at" IS DISTINCT FROM (NEW."issued_at") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."last_four" IS DISTINCT FROM (NEW."last_four") OR OLD."monthly_limit" IS DISTINCT FROM (NEW."monthly_limit") OR OLD."payment_limit" IS DISTINCT FROM (NEW."payment_limit") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."tier" IS DISTINCT FROM (NEW."tier"))',
                    func='INSERT INTO "accounts_cardevent" ("account_id", "daily_limit", "expires_on", "external_reference", "id", "issued_at", "kind", "last_four", "monthly_limit", "payment_limit", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "tier") VALUES (NEW."account_id", NEW."daily_limit", NEW."expires_on", NEW."external_reference", NEW."id", NEW."issued_at", NEW."kind", NEW."last_four", NEW."monthly_limit", NEW."payment_limit", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."state", NEW."tier"); RETURN NULL;',
                    hash="11cdbf16074688fc7768f185acdc8c6686f691eb",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_8441e",
                    table="accounts_card",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="card",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_cardevent" ("account_id", "daily_limit", "expires_on", "external_reference", "id", "issued_at", "kind", "last_four", "monthly_limit", "payment_limit", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "tier") VALUES (OLD."account_id", OLD."daily_limit", OLD."expires_on", OLD."external_reference", OLD."id", OLD."issued_at", OLD."kind", OLD."last_four", OLD."monthly_limit", OLD."payment_limit", OLD."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."state", OLD."tier"); RETURN NULL;',
                    hash="3bde458f0b1e8dd1c1e8c7b42e20d5e68543d67a",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_4c4a6",
                    table="accounts_card",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="cardevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ae00a9a3cf6fcb6064c9cd22094efc0a8631f720",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_c240c",
                    table="accounts_cardevent",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQLFile(SQL / "card_events.sql"),
    ]
