"""Fraud alerts, a month a partition, audited."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "fraud" / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_language"),
        ("transactions", "0019_card_payments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Django knows no partitioned tables.
        migrations.SeparateDatabaseAndState(
            database_operations=[RunSQLFile(SQL / "alerts.sql", model="fraudalert")],
            state_operations=[
                migrations.CreateModel(
                    name="FraudAlert",
                    fields=[
                        ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        (
                            "rule",
                            models.CharField(
                                choices=[
                                    ("velocity", "many payments in a short time"),
                                    ("new_payee", "a large payment to a new payee"),
                                    ("structuring", "cash in pieces below the reported amount"),
                                    ("travel", "improbable travel"),
                                    ("anomaly", "unlike anything before"),
                                ],
                                max_length=16,
                                verbose_name="rule",
                            ),
                        ),
                        ("account", models.BigIntegerField(null=True, verbose_name="account")),
                        ("facts", models.JSONField()),
                        (
                            "transfers",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.UUIDField(), default=list, size=None
                            ),
                        ),
                        ("happened_at", models.DateTimeField(verbose_name="happened")),
                        ("raised_at", models.DateTimeField(verbose_name="raised")),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "open"),
                                    ("watched", "being watched"),
                                    ("dismissed", "dismissed"),
                                    ("confirmed", "confirmed"),
                                ],
                                default="open",
                                max_length=10,
                                verbose_name="state",
                            ),
                        ),
                        ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                        (
                            "reason",
                            models.CharField(blank=True, max_length=200, verbose_name="reason"),
                        ),
                        (
                            "decided_by",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="decided by",
                            ),
                        ),
                        (
                            "person",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="person",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "fraud alert",
                        "verbose_name_plural": "fraud alerts",
                        "ordering": ["-raised_at", "-id"],
                        "permissions": [("decide_fraudalert", "Can decide about fraud alerts")],
                        "default_permissions": ("view",),
                    },
                ),
                migrations.AddIndex(
                    model_name="fraudalert",
                    index=models.Index(fields=["-raised_at", "-id"], name="fraud_alert_newest"),
                ),
                migrations.AddIndex(
                    model_name="fraudalert",
                    index=models.Index(
                        condition=models.Q(("state__in", ["open", "watched"])),
                        fields=["state"],
                        name="fraud_alert_waiting",
                    ),
                ),
                migrations.AddIndex(
                    model_name="fraudalert",
                    index=models.Index(fields=["account"], name="fraud_alert_of_account"),
                ),
                migrations.AddIndex(
                    model_name="fraudalert",
                    index=models.Index(fields=["person"], name="fraud_alert_of_person"),
                ),
                migrations.AddConstraint(
                    model_name="fraudalert",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("account__isnull", False), ("person__isnull", False), _connector="OR"
                        ),
                        name="fraud_alert_is_about_somebody",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fraudalert",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="fraud_alert_decided_by_state",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LogInsWatched",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="FraudAlertEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(editable=False, serialize=False)),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("velocity", "many payments in a short time"),
                            ("new_payee", "a large payment to a new payee"),
                            ("structuring", "cash in pieces below the reported amount"),
                            ("travel", "improbable travel"),
                            ("anomaly", "unlike anything before"),
                        ],
                        max_length=16,
                        verbose_name="rule",
                    ),
                ),
                ("account", models.BigIntegerField(null=True, verbose_name="account")),
                ("facts", models.JSONField()),
                (
                    "transfers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
                ("raised_at", models.DateTimeField(verbose_name="raised")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("watched", "being watched"),
                            ("dismissed", "dismissed"),
                            ("confirmed", "confirmed"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="transactions.fraudalert",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudalert",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "transactions_fraudalertevent" ("account", "decided_at", "decided_by_id", "facts", "happened_at", "id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "reason", "rule", "state", "transfers") VALUES (NEW."account", NEW."decided_at", NEW."decided_by_id", NEW."facts", NEW."happened_at", NEW."id", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."raised_at", NEW."reason", NEW."rule", NEW."state", NEW."transfers"); RETURN NULL;',
                    hash="7cae737cd53d5c3ade5631551a946d7de27a3a8b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_777aa",
                    table="transactions_fraudalert",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudalert",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "transactions_fraudalertevent" ("account", "decided_at", "decided_by_id", "facts", "happened_at", "id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "reason", "rule", "state", "transfers") VALUES (NEW."account", NEW."decided_at", NEW."decided_by_id", NEW."facts", NEW."happened_at", NEW."id", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."raised_at", NEW."reason", NEW."rule", NEW."state", NEW."transfers"); RETURN NULL;',
                    hash="75f57e93dace40b57ef4f14c0b1492ae31f88e62",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_1274e",
                    table="transactions_fraudalert",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudalert",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "transactions_fraudalertevent" ("account", "decided_at", "decided_by_id", "facts", "happened_at", "id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "reason", "rule", "state", "transfers") VALUES (OLD."account", OLD."decided_at", OLD."decided_by_id", OLD."facts", OLD."happened_at", OLD."id", OLD."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."raised_at", OLD."reason", OLD."rule", OLD."state", OLD."transfers"); RETURN NULL;',
                    hash="14fee2bb83c930d926181977426b3c9d0155b163",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_99563",
                    table="transactions_fraudalert",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="fraudalertevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="555a3e374037a5c17a0e33d447ab1f03749e2998",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_99dae",
                    table="transactions_fraudalertevent",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQLFile(SQL / "rights.sql", model="fraudalert"),
    ]
