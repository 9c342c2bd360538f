"""Audit every change to people, permissions, accounts and approvals; keep it for ever."""

from pathlib import Path

import django.contrib.auth.models
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.manager
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_people"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("number", models.BigIntegerField(serialize=False)),
                (
                    "product",
                    models.CharField(
                        choices=[("current", "current account"), ("savings", "savings account")],
                        max_length=12,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("name", models.CharField(blank=True, max_length=60)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "open"), ("frozen", "frozen"), ("closed", "closed")],
                        db_default="open",
                        default="open",
                        max_length=8,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("external_reference", models.CharField(blank=True, max_length=64, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ApprovalEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                ("action", models.CharField(max_length=60)),
                ("payload", models.JSONField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("approved", "approved"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("refused", "refused"),
                            ("expired", "expired"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
                ("words", models.CharField(blank=True, max_length=200)),
                ("result", models.JSONField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AuditedGroupEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.IntegerField()),
                ("name", models.CharField(max_length=150, verbose_name="name")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="GroupPermissionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.IntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HoldingEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "rights",
                    models.CharField(
                        choices=[("owner", "owner"), ("authorised", "authorised")], max_length=12
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="MembershipEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UserEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "number",
                    models.BigIntegerField(db_default=0, editable=False, verbose_name="user ID"),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, max_length=254, null=True, verbose_name="e-mail address"
                    ),
                ),
                ("full_name", models.CharField(max_length=120, verbose_name="name")),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("birth_date", models.DateField(blank=True, null=True)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("customer", "customer"),
                            ("employee", "employee"),
                            ("admin", "admin"),
                        ],
                        default="customer",
                        max_length=12,
                    ),
                ),
                ("external_reference", models.CharField(blank=True, max_length=64, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("suspended", "suspended"),
                            ("closed", "closed"),
                        ],
                        db_default="active",
                        default="active",
                        max_length=10,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UserPermissionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AuditedGroup",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("auth.group",),
            managers=[
                ("objects", django.contrib.auth.models.GroupManager()),
            ],
        ),
        migrations.CreateModel(
            name="GroupPermission",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("auth.group_permissions",),
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.user_groups",),
        ),
        migrations.CreateModel(
            name="UserPermission",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.user_user_permissions",),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="account",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_accountevent" ("branch_id", "currency", "external_reference", "name", "number", "opened_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "product", "status") VALUES (NEW."branch_id", NEW."currency", NEW."external_reference", NEW."name", NEW."number", NEW."opened_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."number", NEW."product", NEW."status"); RETURN NULL;',
                    hash="1d317833139c3f0faa8bc61714a872f7e69e7354",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8b982",
                    table="accounts_account",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="account",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_accountevent" ("branch_id", "currency", "external_reference", "name", "number", "opened_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "product", "status") VALUES (NEW."branch_id", NEW."currency", NEW."external_reference", NEW."name", NEW."number", NEW."opened_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."number", NEW."product", NEW."status"); RETURN NULL;',
                    hash="7e71cbb77cd7dd155d3ca083f455013eedd66aca",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_834ae",
                    table="accounts_account",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="account",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_accountevent" ("branch_id", "currency", "external_reference", "name", "number", "opened_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "product", "status") VALUES (OLD."branch_id", OLD."currency", OLD."external_reference", OLD."name", OLD."number", OLD."opened_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."number", OLD."product", OLD."status"); RETURN NULL;',
                    hash="07a14ddc9dc501aa9fc8a57222f72740bfa0f95d",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f7f6a",
                    table="accounts_account",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_approvalevent" ("action", "asked_at", "checker_id", "decided_at", "id", "maker_id", "payload", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "result", "state", "tried_at", "words") VALUES (NEW."action", NEW."asked_at", NEW."checker_id", NEW."decided_at", NEW."id", NEW."maker_id", NEW."payload", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."reason", NEW."result", NEW."state", NEW."tried_at", NEW."words"); RETURN NULL;',
                    hash="2749d84ba5efedf33ebe86c9346a526f916b7b4d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6f5fb",
                    table="accounts_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_approvalevent" ("action", "asked_at", "checker_id", "decided_at", "id", "maker_id", "payload", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "result", "state", "tried_at", "words") VALUES (NEW."action", NEW."asked_at", NEW."checker_id", NEW."decided_at", NEW."id", NEW."maker_id", NEW."payload", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."reason", NEW."result", NEW."state", NEW."tried_at", NEW."words"); RETURN NULL;',
                    hash="f07d97b001866e04d4b916bbaf334c6708024f0a",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ec125",
                    table="accounts_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_approvalevent" ("action", "asked_at", "checker_id", "decided_at", "id", "maker_id", "payload", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "result", "state", "tried_at", "words") VALUES (OLD."action", OLD."asked_at", OLD."checker_id", OLD."decided_at", OLD."id", OLD."maker_id", OLD."payload", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."reason", OLD."result", OLD."state", OLD."tried_at", OLD."words"); RETURN NULL;',
                    hash="6aefd8b9f29698c957ee65579fb7e871680dd18d",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_5ffed",
                    table="accounts_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holding",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_holdingevent" ("account_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "rights", "user_id") VALUES (NEW."account_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."rights", NEW."user_id"); RETURN NULL;',
                    hash="ba0fb7315503fe571828ff05ba65f22a224c88b6",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_82d3c",
                    table="accounts_holding",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holding",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_holdingevent" ("account_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "rights", "user_id") VALUES (NEW."account_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."rights", NEW."user_id"); RETURN NULL;',
                    hash="c2cf59419fbd8b5c9a3c494508881778149aa73b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_682f7",
                    table="accounts_holding",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holding",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_holdingevent" ("account_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "rights", "user_id") VALUES (OLD."account_id", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."rights", OLD."user_id"); RETURN NULL;',
                    hash="1f2c934dca68bae91183acdeef9d27bcadac2ea5",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d332d",
                    table="accounts_holding",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statuschange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="fcaa915fd75a96a74a720e48aa4c5192907fb83a",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8ad4d",
                    table="accounts_statuschange",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_userevent" ("birth_date", "branch_id", "date_joined", "district_id", "email", "external_reference", "full_name", "id", "is_active", "is_staff", "is_superuser", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role", "status") VALUES (NEW."birth_date", NEW."branch_id", NEW."date_joined", NEW."district_id", NEW."email", NEW."external_reference", NEW."full_name", NEW."id", NEW."is_active", NEW."is_staff", NEW."is_superuser", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."phone", NEW."role", NEW."status"); RETURN NULL;',
                    hash="5c5b7d5e375fb3761b6d2b2edd115cdc3fa8dcfc",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_3867c",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."birth_date" IS DISTINCT FROM (NEW."birth_date") OR OLD."branch_id" IS DISTINCT FROM (NEW."branch_id") OR OLD."date_joined" IS DISTINCT FROM (NEW."date_joined") OR OLD."district_id" IS DISTINCT FROM (NEW."district_id") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."external_reference" IS DISTINCT FROM (NEW."external_reference") OR OLD."full_name" IS DISTINCT FROM (NEW."full_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_staff" IS DISTINCT FROM (NEW."is_staff") OR OLD."is_superuser" IS DISTINCT FROM (NEW."is_superuser") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."status" IS DISTINCT FROM (NEW."status"))',
                    func='INSERT INTO "accounts_userevent" ("birth_date", "branch_id", "date_joined", "district_id", "email", "external_reference", "full_name", "id", "is_active", "is_staff", "is_superuser", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role", "status") VALUES (NEW."birth_date", NEW."branch_id", NEW."date_joined", NEW."district_id", NEW."email", NEW."external_reference", NEW."full_name", NEW."id", NEW."is_active", NEW."is_staff", NEW."is_superuser", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."phone", NEW."role", NEW."status"); RETURN NULL;',
                    hash="6447c2d42377f90c12308098383bf519faf26df3",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_0e890",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_userevent" ("birth_date", "branch_id", "date_joined", "district_id", "email", "external_reference", "full_name", "id", "is_active", "is_staff", "is_superuser", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role", "status") VALUES (OLD."birth_date", OLD."branch_id", OLD."date_joined", OLD."district_id", OLD."email", OLD."external_reference", OLD."full_name", OLD."id", OLD."is_active", OLD."is_staff", OLD."is_superuser", OLD."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."phone", OLD."role", OLD."status"); RETURN NULL;',
                    hash="7e31ab4a2efec1528840d0ed9708b4ddcdbd6614",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_19f14",
                    table="accounts_user",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="viewing",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="b654eb401d0e3efc45b6233596b4d4f9076a5649",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_76f0a",
                    table="accounts_viewing",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="accountevent",
            name="branch",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="accounts.branch",
            ),
        ),
        migrations.AddField(
            model_name="accountevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="accounts.account",
            ),
        ),
        migrations.AddField(
            model_name="approvalevent",
            name="checker",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="approvalevent",
            name="maker",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="approvalevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="accounts.approval",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditedgroupevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="97c5d63b2bd8820a65bf4de8ae129f25207c8fa2",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_b4efd",
                    table="accounts_auditedgroupevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="grouppermissionevent",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="grouppermissionevent",
            name="permission",
            field=models.ForeignKey(
                db_constraint=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.permission",
            ),
        ),
        migrations.AddField(
            model_name="holdingevent",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AddField(
            model_name="holdingevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="accounts.holding",
            ),
        ),
        migrations.AddField(
            model_name="holdingevent",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membershipevent",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="membershipevent",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="userevent",
            name="branch",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="accounts.branch",
                verbose_name="home branch",
            ),
        ),
        migrations.AddField(
            model_name="userevent",
            name="district",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="accounts.district",
            ),
        ),
        migrations.AddField(
            model_name="userevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="userpermissionevent",
            name="permission",
            field=models.ForeignKey(
                db_constraint=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.permission",
            ),
        ),
        migrations.AddField(
            model_name="userpermissionevent",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditedgroup",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_auditedgroupevent" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label") VALUES (NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\'); RETURN NULL;',
                    hash="4498ec64c98f00de6fb9b0700ee4ba54f8dd7f3a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_c8b47",
                    table="auth_group",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditedgroup",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_auditedgroupevent" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label") VALUES (NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\'); RETURN NULL;',
                    hash="9495e22c1466978c0920b81e43ec958d72a5e68b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3ea27",
                    table="auth_group",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditedgroup",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_auditedgroupevent" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label") VALUES (OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\'); RETURN NULL;',
                    hash="d1f40b6c6007ca1ca59b5e9da58a946c3926ae7a",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_7fef7",
                    table="auth_group",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grouppermission",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_grouppermissionevent" ("group_id", "id", "permission_id", "pgh_context", "pgh_created_at", "pgh_label") VALUES (NEW."group_id", NEW."id", NEW."permission_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\'); RETURN NULL;',
                    hash="82dab86eb8efcb08724008cc70ee8a4595f789be",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8e8bf",
                    table="auth_group_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grouppermission",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_grouppermissionevent" ("group_id", "id", "permission_id", "pgh_context", "pgh_created_at", "pgh_label") VALUES (NEW."group_id", NEW."id", NEW."permission_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\'); RETURN NULL;',
                    hash="03043dcbd518c178b3136febf3e952d52d0f0fe5",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_174ef",
                    table="auth_group_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grouppermission",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_grouppermissionevent" ("group_id", "id", "permission_id", "pgh_context", "pgh_created_at", "pgh_label") VALUES (OLD."group_id", OLD."id", OLD."permission_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\'); RETURN NULL;',
                    hash="1ae33fbf60a39f3731c01e8b48745aa5b39b4c12",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_7903c",
                    table="auth_group_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_membershipevent" ("group_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "user_id") VALUES (NEW."group_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."user_id"); RETURN NULL;',
                    hash="9b0c7993fb746b1a6fe3e756020ac7cbc316542a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_fc05a",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_membershipevent" ("group_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "user_id") VALUES (NEW."group_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."user_id"); RETURN NULL;',
                    hash="00d57c37d133766fcd30130504bd61d919e8859b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_20ab5",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_membershipevent" ("group_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "user_id") VALUES (OLD."group_id", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."user_id"); RETURN NULL;',
                    hash="1b779ec6025a89d2c681d3fbb2a232c2ff957b2c",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_19a8f",
                    table="accounts_user_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermission",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_userpermissionevent" ("id", "permission_id", "pgh_context", "pgh_created_at", "pgh_label", "user_id") VALUES (NEW."id", NEW."permission_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."user_id"); RETURN NULL;',
                    hash="457e3d3148606dbf2c25b9f14b9d35c0f3d7fc6c",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7116a",
                    table="accounts_user_user_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermission",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_userpermissionevent" ("id", "permission_id", "pgh_context", "pgh_created_at", "pgh_label", "user_id") VALUES (NEW."id", NEW."permission_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."user_id"); RETURN NULL;',
                    hash="6e093819a1541be649f12eccbbe10adc5e79c896",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_56aa0",
                    table="accounts_user_user_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermission",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_userpermissionevent" ("id", "permission_id", "pgh_context", "pgh_created_at", "pgh_label", "user_id") VALUES (OLD."id", OLD."permission_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."user_id"); RETURN NULL;',
                    hash="ffd236bdbb7f3ad09d3836268b97e7537d304a78",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_773da",
                    table="accounts_user_user_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accountevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="b2fcc0ac097507fbc8f168c4af9b0fbdec311f8f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a5014",
                    table="accounts_accountevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approvalevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="3359f3a6e63920e995c6622dc6e0e04e503eff7a",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0e31f",
                    table="accounts_approvalevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="grouppermissionevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="670d3d2e9e78439a2b9505d2b216daf82a157ba3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_5bd88",
                    table="accounts_grouppermissionevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holdingevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="af60b3ee98afd3aacf42dd3df6a1ccbba519b8ec",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_22987",
                    table="accounts_holdingevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membershipevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="e1f05704110766345bef638c18be4307af995a77",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_9ee6c",
                    table="accounts_membershipevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9e9498e73f6fbdf2642fb33fa14189f1ad2382c8",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_45b21",
                    table="accounts_userevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermissionevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="dae857ec0323f222ad3410b335fedda9cab70e09",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_2897f",
                    table="accounts_userpermissionevent",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQLFile(SQL / "append_only.sql"),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("pghistory.events",),
            managers=[("no_objects", django.db.models.manager.Manager())],
        ),
    ]
