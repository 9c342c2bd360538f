"""Keep the balancer's backends, and what happened to them."""

import uuid
from pathlib import Path
from typing import ClassVar

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.db.migrations import RunSQLFile


class Migration(migrations.Migration):
    """Three tables."""

    initial = True

    dependencies: ClassVar = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Backend",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("host", models.GenericIPAddressField()),
                ("port", models.PositiveIntegerField()),
                ("weight", models.PositiveSmallIntegerField(default=100)),
                ("zone", models.CharField(blank=True, max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("registered", "registered"),
                            ("checking", "checking"),
                            ("warming", "warming up"),
                            ("ready", "ready"),
                            ("draining", "draining"),
                            ("removed", "removed"),
                        ],
                        default="registered",
                        max_length=10,
                    ),
                ),
                ("state_since", models.DateTimeField()),
                ("is_up", models.BooleanField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("registered_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "backend",
                "verbose_name_plural": "backends",
                "ordering": ["name", "registered_at"],
                "permissions": [("govern_backend", "Can add, change and drain backends")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "removed"), _negated=True),
                        fields=("name",),
                        name="backend_name_unique",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "removed"), _negated=True),
                        fields=("host", "port"),
                        name="backend_address_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BackendEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("changes", models.JSONField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "backend",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="lb.backend",
                    ),
                ),
            ],
            options={
                "verbose_name": "event of a backend",
                "verbose_name_plural": "events of backends",
                "ordering": ["-id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Balancing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveBigIntegerField(default=1)),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("hybrid", "hybrid"),
                            ("round-robin", "round robin"),
                            ("least-connections", "least connections"),
                            ("p2c-least-request", "least requests of two"),
                            ("peak-ewma", "peak EWMA"),
                            ("random", "random"),
                        ],
                        default="hybrid",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="balancing_is_one")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="backendevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4ec0e14860d86ac17f052bed5b19b17852c96931",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_aac84",
                    table="lb_backendevent",
                    when="BEFORE",
                ),
            ),
        ),
        RunSQLFile(Path(__file__).parents[1] / "sql" / "append_only.sql"),
    ]
