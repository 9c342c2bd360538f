"""Close the bank's days: what accounts earn each day, terms of products, holidays, days closed."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "ledger" / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_credential_changes"),
        ("transactions", "0013_cash_elsewhere"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RunSQLFile(SQL / "accruals.sql"),
        migrations.AlterField(
            model_name="standingorder",
            name="weekend",
            field=models.CharField(
                choices=[
                    ("same", "on that day"),
                    ("before", "on the working day before"),
                    ("after", "on the working day after"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="BankDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False, verbose_name="day")),
                ("begun_at", models.DateTimeField(verbose_name="begun")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                ("position", models.JSONField(null=True, verbose_name="position")),
            ],
            options={
                "verbose_name": "day",
                "verbose_name_plural": "days closed",
                "ordering": ["-day"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at__isnull", True),
                            ("position__isnull", False),
                            _connector="OR",
                        ),
                        name="bank_day_closed_has_position",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WithheldInterest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.BigIntegerField()),
                ("month", models.DateField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "month"), name="withheld_interest_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ClosingStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=24, verbose_name="step")),
                ("items", models.BigIntegerField(verbose_name="items")),
                ("amounts", models.JSONField(default=dict, verbose_name="amounts")),
                ("left_out", models.JSONField(default=dict, verbose_name="left out")),
                ("finished_at", models.DateTimeField(verbose_name="finished")),
                (
                    "day",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="transactions.bankday",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("day", "name"), name="closing_step_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("added_at", models.DateTimeField(verbose_name="added")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn")),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.branch",
                        verbose_name="branch",
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "holiday",
                "verbose_name_plural": "holidays",
                "ordering": ["-day", "branch"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("day", "branch"),
                        name="holiday_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProductTerms",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "product",
                    models.CharField(
                        choices=[("current", "current account"), ("savings", "savings account")],
                        max_length=12,
                        verbose_name="product",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("effective_from", models.DateField(verbose_name="from")),
                (
                    "rate_ppm",
                    models.PositiveIntegerField(verbose_name="rate a year, in millionths"),
                ),
                ("monthly_fee", models.BigIntegerField(verbose_name="monthly fee, in minor units")),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "terms of a product",
                "verbose_name_plural": "products",
                "ordering": ["product", "currency", "-effective_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("product", "currency", "effective_from"), name="product_terms_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate_ppm__lte", 1000000)), name="product_terms_rate"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("monthly_fee__gte", 0)), name="product_terms_fee"
                    ),
                ],
            },
        ),
    ]
