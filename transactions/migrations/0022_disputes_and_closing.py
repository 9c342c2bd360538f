"""Disputes of movements, audited; and closing accounts together with what they have earned."""

from pathlib import Path

import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0021_accounts_by_product"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(RunSQLFile(SQL / f"{name}.sql") for name in ("codes", "close_account")),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("transfer_id", models.UUIDField(verbose_name="transfer")),
                ("account", models.BigIntegerField(verbose_name="account")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("not_mine", "I did not make or allow this payment"),
                            ("twice", "It was taken twice"),
                            ("wrong_amount", "The amount is wrong"),
                            ("not_received", "I did not get what I paid for"),
                            ("cash", "The machine or till counted other cash"),
                            ("other", "Something else"),
                        ],
                        max_length=12,
                        verbose_name="what is wrong",
                    ),
                ),
                (
                    "words",
                    models.CharField(blank=True, max_length=200, verbose_name="in their words"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("in_work", "being looked into"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                        ],
                        default="open",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered")),
                ("answer", models.CharField(blank=True, max_length=200, verbose_name="answer")),
                (
                    "answered_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="customer",
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="in whose hands",
                    ),
                ),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "ordering": ["-opened_at", "-pk"],
                "permissions": [("answer_dispute", "Can take and answer disputes")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="DisputeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                ("transfer_id", models.UUIDField(verbose_name="transfer")),
                ("account", models.BigIntegerField(verbose_name="account")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("not_mine", "I did not make or allow this payment"),
                            ("twice", "It was taken twice"),
                            ("wrong_amount", "The amount is wrong"),
                            ("not_received", "I did not get what I paid for"),
                            ("cash", "The machine or till counted other cash"),
                            ("other", "Something else"),
                        ],
                        max_length=12,
                        verbose_name="what is wrong",
                    ),
                ),
                (
                    "words",
                    models.CharField(blank=True, max_length=200, verbose_name="in their words"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("in_work", "being looked into"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                        ],
                        default="open",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered")),
                ("answer", models.CharField(blank=True, max_length=200, verbose_name="answer")),
                (
                    "answered_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
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
                        verbose_name="customer",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="transactions.dispute",
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="in whose hands",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["account", "-opened_at"], name="dispute_of_account"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["-opened_at", "-id"], name="dispute_newest"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "in_work"])),
                fields=["state"],
                name="dispute_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["open", "in_work"])),
                fields=("transfer_id", "account"),
                name="dispute_one_unanswered",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "open"), ("taken_by__isnull", True)),
                    models.Q(("state", "in_work"), ("taken_by__isnull", False)),
                    ("state__in", ["accepted", "declined"]),
                    _connector="OR",
                ),
                name="dispute_in_work_has_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("answer", ""),
                        ("answered_at__isnull", True),
                        ("answered_by__isnull", True),
                        ("state__in", ["open", "in_work"]),
                    ),
                    models.Q(
                        ("answered_at__isnull", False),
                        ("answered_by__isnull", False),
                        ("state__in", ["accepted", "declined"]),
                        models.Q(("answer", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="dispute_answered_by_state",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dispute",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "transactions_disputeevent" ("account", "answer", "answered_at", "answered_by_id", "id", "opened_at", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "taken_by_id", "transfer_id", "why", "words") VALUES (NEW."account", NEW."answer", NEW."answered_at", NEW."answered_by_id", NEW."id", NEW."opened_at", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."state", NEW."taken_by_id", NEW."transfer_id", NEW."why", NEW."words"); RETURN NULL;',
                    hash="194f081852976d55bb5c84f4605ddc165407eafe",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_388d9",
                    table="transactions_dispute",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dispute",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "transactions_disputeevent" ("account", "answer", "answered_at", "answered_by_id", "id", "opened_at", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "taken_by_id", "transfer_id", "why", "words") VALUES (NEW."account", NEW."answer", NEW."answered_at", NEW."answered_by_id", NEW."id", NEW."opened_at", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."state", NEW."taken_by_id", NEW."transfer_id", NEW."why", NEW."words"); RETURN NULL;',
                    hash="038606cee0096cc11ac2fc4ef1ba581436a0573f",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_d7991",
                    table="transactions_dispute",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dispute",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "transactions_disputeevent" ("account", "answer", "answered_at", "answered_by_id", "id", "opened_at", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "taken_by_id", "transfer_id", "why", "words") VALUES (OLD."account", OLD."answer", OLD."answered_at", OLD."answered_by_id", OLD."id", OLD."opened_at", OLD."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."state", OLD."taken_by_id", OLD."transfer_id", OLD."why", OLD."words"); RETURN NULL;',
                    hash="967ad84725dbba25456703565909144b75b90cbf",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_225d1",
                    table="transactions_dispute",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="disputeevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="958a2c342d011d4555e7f8a0e5a3cd50ec5c713f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_4449c",
                    table="transactions_disputeevent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
