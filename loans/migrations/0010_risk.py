"""Default risk: the registry of models, who serves, scores of applications, how they held."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loans", "0002_changes_of_loans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RiskModel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "data",
                    models.CharField(
                        choices=[
                            ("book", "loans of this bank"),
                            ("berka", "loans of another bank"),
                            ("invented", "invented loans"),
                        ],
                        max_length=12,
                    ),
                ),
                ("family", models.CharField(max_length=20)),
                ("loans", models.PositiveIntegerField()),
                ("bad", models.PositiveIntegerField()),
                ("auc", models.FloatField()),
                ("bias", models.JSONField()),
                ("trained_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-trained_at", "-pk"],
                "permissions": [("manage_risk", "Can train and appoint risk models")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RiskModelFile",
            fields=[
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="loans.riskmodel",
                    ),
                ),
                ("entry", models.BinaryField()),
                ("classifier", models.BinaryField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RiskAppointment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("champion", "champion"), ("challenger", "challenger")],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("appointed_at", models.DateTimeField()),
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
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="loans.riskmodel",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RiskScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rescored_on", models.DateField(null=True)),
                ("probability", models.FloatField(null=True)),
                (
                    "band",
                    models.CharField(
                        blank=True,
                        choices=[("strong", "strong"), ("fair", "fair"), ("weak", "weak")],
                        max_length=8,
                    ),
                ),
                ("raised", models.JSONField(default=list)),
                (
                    "review",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("no_model", "no model scores applications"),
                            ("model_unfit", "the model is missing or was altered"),
                            ("no_history", "nothing has moved on the account before"),
                            ("no_answer", "the account's branch did not answer"),
                            (
                                "figures_unfit",
                                "a figure is missing, or of a kind never learned from",
                            ),
                            ("beyond_range", "a figure is beyond those learned from"),
                        ],
                        max_length=16,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200)),
                ("challenger_probability", models.FloatField(null=True)),
                ("features", models.JSONField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("repaid", "repaid"),
                            ("bad", "more than 90 days late, or written off"),
                        ],
                        max_length=8,
                    ),
                ),
                ("scored_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_scores",
                        to="loans.loanapplication",
                    ),
                ),
                (
                    "challenger",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loans.riskmodel",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="loans.riskmodel",
                    ),
                ),
            ],
            options={
                "ordering": ["-scored_at", "-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RiskWatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField()),
                ("scores", models.PositiveIntegerField()),
                ("stability", models.FloatField(null=True)),
                ("ended", models.PositiveIntegerField()),
                ("bad", models.PositiveIntegerField()),
                ("expected", models.FloatField()),
                ("challenger_expected", models.FloatField(null=True)),
                ("is_drifting", models.BooleanField()),
                ("is_failing", models.BooleanField()),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="watches",
                        to="loans.riskmodel",
                    ),
                ),
            ],
            options={
                "ordering": ["-month", "-pk"],
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="riskappointment",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ea2ed9a6a7cc60a2cface8c398c7f0f354cc884f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_33cbd",
                    table="loans_riskappointment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="riskscore",
            constraint=models.UniqueConstraint(
                fields=("application", "rescored_on"),
                name="loan_risk_score_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="riskscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("probability__isnull", True),
                    models.Q(
                        ("model__isnull", False), ("probability__gt", 0), ("probability__lt", 1)
                    ),
                    _connector="OR",
                ),
                name="loan_risk_score_by_a_model",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskwatch",
            constraint=models.UniqueConstraint(
                fields=("model", "month"), name="loan_risk_watch_once"
            ),
        ),
    ]
