"""Let people say what their movements were for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0014_closing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MovementCategory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("transfer_id", models.UUIDField()),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("sent", "Sent to others"),
                            ("own", "Between your own accounts"),
                            ("bills", "Bills and payments"),
                            ("shopping", "Shopping by card"),
                            ("cash", "Cash"),
                            ("interest", "Interest"),
                            ("charges", "Bank charges"),
                            ("corrections", "Taken back"),
                            ("salary", "Salary"),
                            ("home", "Home and rent"),
                            ("food", "Food"),
                            ("travel", "Travel"),
                            ("health", "Health"),
                            ("leisure", "Leisure"),
                            ("saving", "Saving"),
                            ("other", "Something else"),
                        ],
                        max_length=12,
                    ),
                ),
                ("chosen_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "transfer_id"), name="movement_category_unique"
                    )
                ],
            },
        ),
    ]
