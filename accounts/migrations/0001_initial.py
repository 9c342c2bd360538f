"""People, branches, the identity of accounts."""

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="District",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.PositiveIntegerField(unique=True)),
                ("name", models.CharField(max_length=80)),
                ("region", models.CharField(max_length=80)),
                ("inhabitants", models.PositiveIntegerField()),
                ("municipalities_below_500", models.PositiveIntegerField()),
                ("municipalities_below_2000", models.PositiveIntegerField()),
                ("municipalities_below_10000", models.PositiveIntegerField()),
                ("municipalities_above_10000", models.PositiveIntegerField()),
                ("cities", models.PositiveIntegerField()),
                ("urban_share", models.DecimalField(decimal_places=1, max_digits=4)),
                ("average_salary", models.PositiveIntegerField()),
                (
                    "unemployment_1995",
                    models.DecimalField(decimal_places=2, max_digits=5, null=True),
                ),
                ("unemployment_1996", models.DecimalField(decimal_places=2, max_digits=5)),
                ("entrepreneurs_per_1000", models.PositiveIntegerField()),
                ("crimes_1995", models.PositiveIntegerField(null=True)),
                ("crimes_1996", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="Branch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=8, unique=True)),
                ("number", models.PositiveSmallIntegerField(unique=True)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "verbose_name_plural": "branches",
                "ordering": ["number"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number__range", (100, 999))),
                        name="branch_number_has_three_digits",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "product",
                    models.CharField(
                        choices=[("current", "current account"), ("savings", "savings account")],
                        max_length=12,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("name", models.CharField(blank=True, max_length=60)),
                ("opened_at", models.DateTimeField()),
                (
                    "external_reference",
                    models.CharField(blank=True, max_length=64, null=True, unique=True),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.branch"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        max_length=254,
                        null=True,
                        unique=True,
                        verbose_name="e-mail address",
                    ),
                ),
                ("full_name", models.CharField(max_length=120, verbose_name="name")),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("birth_date", models.DateField(blank=True, null=True)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("customer", "customer"),
                            ("employee", "employee"),
                            ("admin", "admin"),
                        ],
                        default="customer",
                        max_length=12,
                    ),
                ),
                (
                    "external_reference",
                    models.CharField(blank=True, max_length=64, null=True, unique=True),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.district",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"),
                        name="user_email_unique_in_any_case",
                    )
                ],
            },
        ),
    ]
