"""Loans that are restructured or written off, and loans of other books."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile

_SQL = Path(__file__).resolve().parents[1] / "sql"
_PRODUCTS = [
    ("personal", "personal loan"),
    ("home", "home loan"),
    ("vehicle", "vehicle loan"),
    ("education", "education loan"),
    ("brought_in", "loan of other books"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("loans", "0001_loans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="loanterms",
            name="product",
            field=models.CharField(choices=_PRODUCTS, max_length=12, verbose_name="product"),
        ),
        migrations.AlterField(
            model_name="loan",
            name="state",
            field=models.CharField(
                choices=[
                    ("opening", "being paid out"),
                    ("active", "running"),
                    ("repaid", "repaid"),
                    ("written_off", "written off"),
                ],
                default="opening",
                max_length=12,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="loanplan",
            name="rate_ppm",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="loanplan",
            name="holiday_months",
            field=models.PositiveSmallIntegerField(default=0),
            preserve_default=False,
        ),
        RunSQLFile(_SQL / "upgrade_0002.sql"),
        migrations.AddField(
            model_name="repayment",
            name="recovered",
            field=models.BigIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="WriteOff",
            fields=[
                (
                    "loan",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="write_off",
                        serialize=False,
                        to="loans.loan",
                    ),
                ),
                ("penalty", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("interest", models.BigIntegerField()),
                ("principal", models.BigIntegerField()),
                ("made_at", models.DateTimeField()),
                ("transfer_id", models.UUIDField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Restructuring",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateField(verbose_name="from")),
                ("months", models.PositiveSmallIntegerField(verbose_name="months")),
                (
                    "rate_ppm",
                    models.PositiveIntegerField(verbose_name="rate a year, in millionths"),
                ),
                (
                    "holiday_months",
                    models.PositiveSmallIntegerField(verbose_name="months without repayment"),
                ),
                (
                    "capitalises",
                    models.BooleanField(verbose_name="what is overdue becomes principal"),
                ),
                ("capitalised", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting for its day"),
                            ("done", "done"),
                            ("lapsed", "could not be done"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=200)),
                (
                    "approved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restructurings",
                        to="loans.loan",
                    ),
                ),
            ],
            options={"ordering": ["loan", "since"], "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="restructuring",
            constraint=models.UniqueConstraint(
                fields=("loan", "since"), name="loan_restructuring_once"
            ),
        ),
    ]
