"""What cards paid, and what they set aside."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_cards"),
        ("transactions", "0017_monthly_statements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CardPayment",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("merchant", models.CharField(max_length=60)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("captured", models.BigIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("authorised", "set aside"),
                            ("captured", "paid"),
                            ("released", "released"),
                            ("expired", "expired"),
                            ("declined", "declined"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("day", models.DateField()),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("hold_id", models.UUIDField(null=True)),
                ("transfer_id", models.UUIDField(null=True)),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="accounts.card",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "card payment",
                "verbose_name_plural": "card payments",
                "ordering": ["-asked_at", "-pk"],
                "permissions": [("charge_cards", "Can charge cards for merchants")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["card", "-asked_at", "-id"], name="card_payment_of_card"),
                    models.Index(
                        condition=models.Q(("state", "authorised")),
                        fields=["expires_at"],
                        name="card_payment_expiry",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gt", 0),
                            ("captured__gte", 0),
                            ("captured__lte", models.F("amount")),
                        ),
                        name="card_payment_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "declined"),
                            models.Q(("expires_at__isnull", False), ("hold_id__isnull", False)),
                            _connector="OR",
                        ),
                        name="card_payment_has_hold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("captured__gt", 0),
                                ("state", "captured"),
                                ("transfer_id__isnull", False),
                            ),
                            models.Q(
                                models.Q(("state", "captured"), _negated=True),
                                ("captured", 0),
                                ("transfer_id__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="card_payment_captured",
                    ),
                ],
            },
        ),
    ]
