"""Keep payees, standing orders and limits that are to be raised; let accounts bound each transfer."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"
FILES = ("limits", "codes", "post", "batch", "accounts", "moving")


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0008_moving"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(RunSQLFile(SQL / f"{name}.sql") for name in FILES),
        migrations.CreateModel(
            name="AccountDesk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "account desk",
                "verbose_name_plural": "account desk",
                "permissions": [
                    ("govern_account", "Can open, change and close customers' accounts")
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Payee",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("nickname", models.CharField(max_length=40)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("added_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-added_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "account"), name="payee_account_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="PayeeCooling",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.BigIntegerField()),
                ("payee", models.BigIntegerField()),
                ("daily_limit", models.BigIntegerField()),
                ("until", models.DateTimeField()),
                ("is_set", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["until"], name="payee_cooling_until")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "payee"), name="payee_cooling_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StandingOrder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("debit", models.BigIntegerField()),
                ("credit", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("memo", models.CharField(blank=True, max_length=140)),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("weekly", "weekly"),
                            ("fortnightly", "every two weeks"),
                            ("monthly", "monthly"),
                            ("quarterly", "quarterly"),
                            ("yearly", "yearly"),
                        ],
                        max_length=12,
                    ),
                ),
                ("month_end", models.BooleanField()),
                (
                    "weekend",
                    models.CharField(
                        choices=[
                            ("same", "on that day"),
                            ("before", "on the Friday before"),
                            ("after", "on the Monday after"),
                        ],
                        max_length=8,
                    ),
                ),
                ("first_date", models.DateField()),
                ("last_date", models.DateField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("paused", "paused"),
                            ("cancelled", "cancelled"),
                            ("ended", "ended"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("next_date", models.DateField(null=True)),
                ("pay_date", models.DateField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "active")),
                        fields=["pay_date"],
                        name="standing_order_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="standing_order_key"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="standing_order_amount_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "active"), _negated=True),
                            models.Q(("next_date__isnull", False), ("pay_date__isnull", False)),
                            _connector="OR",
                        ),
                        name="standing_order_active_has_a_date",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LimitRaise",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "cooling")),
                        fields=["applies_at"],
                        name="limit_raise_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "cooling")),
                        fields=("account", "limit"),
                        name="limit_raise_one_under_way",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="scheduledtransfer",
            name="due_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="scheduledtransfer",
            name="retry_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="scheduledtransfer",
            name="standing_order",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="transactions.standingorder",
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledtransfer",
            constraint=models.UniqueConstraint(
                fields=("standing_order", "due_date"), name="scheduled_transfer_date_of_order"
            ),
        ),
    ]
