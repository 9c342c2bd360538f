"""Note what is changed in place of second factors, e-mail addresses and API keys, too."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """Triggers, and names for what they note."""

    dependencies: ClassVar = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("accounts", "0008_finding_people"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations: ClassVar = [
        migrations.AlterField(
            model_name="credentialchange",
            name="what",
            field=models.CharField(
                choices=[
                    ("password_changed", "password changed"),
                    ("email_changed", "e-mail address changed"),
                    ("email_added", "another e-mail address added"),
                    ("email_removed", "e-mail address removed"),
                    ("totp_added", "authenticator app set up"),
                    ("totp_changed", "authenticator app changed"),
                    ("totp_removed", "authenticator app removed"),
                    ("webauthn_added", "passkey added"),
                    ("webauthn_changed", "passkey changed"),
                    ("webauthn_removed", "passkey removed"),
                    ("recovery_codes_added", "recovery codes made"),
                    ("recovery_codes_changed", "recovery codes changed"),
                    ("recovery_codes_removed", "recovery codes removed"),
                    ("key_made", "API key made"),
                    ("key_changed", "API key changed"),
                    ("key_revoked", "API key revoked"),
                    ("key_restored", "API key let in again"),
                ],
                max_length=24,
            ),
        ),
        RunSQLFile(SQL / "credential_updates.sql"),
    ]
