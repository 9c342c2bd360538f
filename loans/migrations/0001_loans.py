"""Lending: products, applications, loans, their plans, what they cost and what was repaid."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LoanApplication",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("account", models.BigIntegerField(verbose_name="account")),
                ("amount", models.BigIntegerField(verbose_name="amount, in minor units")),
                ("months", models.PositiveSmallIntegerField(verbose_name="months")),
                ("purpose", models.CharField(max_length=140, verbose_name="purpose")),
                (
                    "monthly_income",
                    models.BigIntegerField(verbose_name="income a month, in minor units"),
                ),
                ("documents_seen", models.JSONField(default=list, verbose_name="documents seen")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "being reviewed"),
                            ("offered", "offered to you"),
                            ("accepted", "accepted"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="draft",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("submitted_at", models.DateTimeField(null=True, verbose_name="sent in")),
                ("offered_until", models.DateField(null=True, verbose_name="offered until")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                (
                    "decision_reason",
                    models.CharField(blank=True, max_length=200, verbose_name="reason"),
                ),
                (
                    "applicant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loan_applications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "loan application",
                "verbose_name_plural": "loan applications",
                "ordering": ["-created_at", "-pk"],
                "permissions": [("review_loan", "Can review and propose loans")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Loan",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("dues", models.BigIntegerField(unique=True)),
                ("account", models.BigIntegerField(verbose_name="paying account")),
                ("amount", models.BigIntegerField(verbose_name="amount, in minor units")),
                ("months", models.PositiveSmallIntegerField(verbose_name="months")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("opening", "being paid out"),
                            ("active", "running"),
                            ("repaid", "repaid"),
                        ],
                        default="opening",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("accepted_at", models.DateTimeField(verbose_name="accepted")),
                ("start", models.DateField(null=True, verbose_name="paid out")),
                ("repaid_at", models.DateTimeField(null=True, verbose_name="repaid")),
                (
                    "borrower",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loans",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loan",
                        to="loans.loanapplication",
                    ),
                ),
            ],
            options={
                "verbose_name": "loan",
                "verbose_name_plural": "loans",
                "ordering": ["-accepted_at", "-pk"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="LoanPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("since", models.DateField()),
                ("principal", models.BigIntegerField()),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="loans.loan",
                    ),
                ),
            ],
            options={
                "ordering": ["loan", "number"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Instalment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                ("due_date", models.DateField(verbose_name="due")),
                ("principal", models.BigIntegerField(verbose_name="principal")),
                ("interest", models.BigIntegerField(verbose_name="interest")),
                ("balance_after", models.BigIntegerField(verbose_name="left after it")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instalments",
                        to="loans.loanplan",
                    ),
                ),
            ],
            options={
                "ordering": ["plan", "number"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LoanTerms",
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
                        choices=[
                            ("personal", "personal loan"),
                            ("home", "home loan"),
                            ("vehicle", "vehicle loan"),
                            ("education", "education loan"),
                        ],
                        max_length=12,
                        verbose_name="product",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("effective_from", models.DateField(verbose_name="from")),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("annuity", "equal instalments"),
                            ("flat", "flat interest on the whole amount"),
                            ("interest_only", "interest alone, the amount at the end"),
                        ],
                        max_length=16,
                        verbose_name="repaid by",
                    ),
                ),
                (
                    "rate_ppm",
                    models.PositiveIntegerField(verbose_name="rate a year, in millionths"),
                ),
                (
                    "least_amount",
                    models.BigIntegerField(verbose_name="least amount, in minor units"),
                ),
                (
                    "most_amount",
                    models.BigIntegerField(verbose_name="largest amount, in minor units"),
                ),
                (
                    "least_months",
                    models.PositiveSmallIntegerField(verbose_name="shortest term, in months"),
                ),
                (
                    "most_months",
                    models.PositiveSmallIntegerField(verbose_name="longest term, in months"),
                ),
                (
                    "holiday_months",
                    models.PositiveSmallIntegerField(
                        default=0, verbose_name="months without repayment"
                    ),
                ),
                (
                    "opening_fee_ppm",
                    models.PositiveIntegerField(
                        default=0, verbose_name="opening fee, in millionths"
                    ),
                ),
                (
                    "instalment_fee",
                    models.BigIntegerField(
                        default=0, verbose_name="fee of an instalment, in minor units"
                    ),
                ),
                (
                    "grace_days",
                    models.PositiveSmallIntegerField(default=0, verbose_name="days of grace"),
                ),
                (
                    "penalty",
                    models.BigIntegerField(default=0, verbose_name="penalty, in minor units"),
                ),
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
                "verbose_name": "terms of a loan",
                "verbose_name_plural": "loan products",
                "ordering": ["product", "currency", "-effective_from"],
            },
        ),
        migrations.AddField(
            model_name="loanapplication",
            name="terms",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                to="loans.loanterms",
                verbose_name="terms",
            ),
        ),
        migrations.AddField(
            model_name="loan",
            name="terms",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                to="loans.loanterms",
                verbose_name="terms",
            ),
        ),
        migrations.CreateModel(
            name="Repayment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=255)),
                ("account", models.BigIntegerField()),
                ("asked", models.BigIntegerField(null=True)),
                ("penalty", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("interest", models.BigIntegerField()),
                ("principal", models.BigIntegerField()),
                ("early", models.BigIntegerField(default=0)),
                ("channel", models.CharField(max_length=12)),
                ("made_at", models.DateTimeField()),
                ("transfer_id", models.UUIDField(null=True)),
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
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repayments",
                        to="loans.loan",
                    ),
                ),
            ],
            options={
                "ordering": ["-made_at", "-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="InterestDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("principal", models.BigIntegerField()),
                ("rate_ppm", models.PositiveIntegerField()),
                ("days", models.PositiveSmallIntegerField()),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interest_days",
                        to="loans.loan",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("loan", "day"), name="loan_interest_day_once"),
                    models.CheckConstraint(
                        condition=models.Q(("days__gt", 0), ("principal__gte", 0)),
                        name="loan_interest_day_figures",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LoanCharge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("interest", "interest"), ("fee", "fee"), ("penalty", "penalty")],
                        max_length=12,
                    ),
                ),
                ("day", models.DateField()),
                ("minor", models.BigIntegerField()),
                ("posted_at", models.DateTimeField(null=True)),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="loans.loan",
                    ),
                ),
            ],
            options={
                "ordering": ["day", "pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("loan", "kind", "day"), name="loan_charge_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minor__gt", 0)), name="loan_charge_positive"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="loanplan",
            constraint=models.UniqueConstraint(fields=("loan", "number"), name="loan_plan_once"),
        ),
        migrations.AddConstraint(
            model_name="instalment",
            constraint=models.UniqueConstraint(
                fields=("plan", "number"), name="loan_instalment_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="loanterms",
            constraint=models.UniqueConstraint(
                fields=("product", "currency", "effective_from"), name="loan_terms_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="loanterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("opening_fee_ppm__lte", 1000000), ("rate_ppm__lte", 1000000)),
                name="loan_terms_rates",
            ),
        ),
        migrations.AddConstraint(
            model_name="loanterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("instalment_fee__gte", 0),
                    ("least_amount__gt", 0),
                    ("least_months__gt", models.F("holiday_months")),
                    ("most_amount__gte", models.F("least_amount")),
                    ("most_months__gte", models.F("least_months")),
                    ("penalty__gte", 0),
                ),
                name="loan_terms_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="loanapplication",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["submitted", "offered"])),
                fields=("applicant",),
                name="loan_application_one_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="loanapplication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0), ("monthly_income__gte", 0), ("months__gt", 0)
                ),
                name="loan_application_figures",
            ),
        ),
        migrations.AddConstraint(
            model_name="repayment",
            constraint=models.UniqueConstraint(
                fields=("by", "key"), name="loan_repayment_once", nulls_distinct=False
            ),
        ),
    ]
