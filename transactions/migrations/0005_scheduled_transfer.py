"""Keep transfers that customers leave with the bank; permissions of those who work with cash."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0004_cash"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CashDesk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "cash desk",
                "verbose_name_plural": "cash desk",
                "permissions": [
                    ("book_cash", "Can book cash at the counter"),
                    ("fill_with_cash", "Can bring cash from the vault to till and machine"),
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ScheduledTransfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("debit", models.BigIntegerField()),
                ("credit", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("memo", models.CharField(blank=True, max_length=140)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sending", "being sent"),
                            ("done", "sent"),
                            ("refused", "refused"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("not_before", models.DateTimeField()),
                ("queued_at", models.DateTimeField()),
                ("tried_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("transfer_id", models.UUIDField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-queued_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "sending"])),
                        fields=["tried_at"],
                        name="scheduled_transfer_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="scheduled_transfer_key"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="scheduled_transfer_amount_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), ("transfer_id__isnull", False)),
                            models.Q(
                                models.Q(("state", "done"), _negated=True),
                                ("transfer_id__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="scheduled_transfer_done_has_transfer",
                    ),
                ],
            },
        ),
    ]
