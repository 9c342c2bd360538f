"""Note what is changed of passwords, e-mail addresses, second factors and API keys."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("accounts", "0006_who_asked"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.CreateModel(
            name="CredentialChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("password_changed", "password changed"),
                            ("email_changed", "e-mail address changed"),
                            ("email_added", "another e-mail address added"),
                            ("email_removed", "e-mail address removed"),
                            ("totp_added", "authenticator app set up"),
                            ("totp_removed", "authenticator app removed"),
                            ("webauthn_added", "passkey added"),
                            ("webauthn_removed", "passkey removed"),
                            ("recovery_codes_added", "recovery codes made"),
                            ("recovery_codes_removed", "recovery codes removed"),
                            ("key_made", "API key made"),
                            ("key_revoked", "API key revoked"),
                        ],
                        max_length=24,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=254)),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("credential", models.CharField(blank=True, max_length=60)),
                ("address", models.GenericIPAddressField(null=True)),
                ("device", models.CharField(blank=True, max_length=80)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credential_changes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["person", "-id"], name="credential_change_of_person")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="credentialchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="985034e8b4345c938444652785c8038b83879e37",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_5a6ab",
                    table="accounts_credentialchange",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQLFile(SQL / "credentials.sql"),
    ]
