"""In which language somebody wants pages and mails."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that the audit leaves out."""

    dependencies: ClassVar = [("accounts", "0009_credential_updates")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=8),
        ),
    ]
