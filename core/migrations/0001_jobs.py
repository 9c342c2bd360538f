"""Keep jobs until they are done."""

import uuid
from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """One table."""

    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("key", models.CharField(max_length=120)),
                ("arguments", models.JSONField(default=dict)),
                (
                    "queue",
                    models.CharField(
                        choices=[("normal", "normal"), ("long", "long")], max_length=8
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("done", "done"),
                            ("dead", "failed for good"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(null=True)),
                ("failure", models.CharField(blank=True, max_length=400)),
                ("queued_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-queued_at", "-id"],
                "permissions": [("retry_job", "Can let failed jobs be tried again")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["queue", "next_attempt_at"],
                        name="job_due",
                    ),
                    models.Index(fields=["-queued_at", "-id"], name="job_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("name", "key"), name="job_queued_once")
                ],
            },
        ),
    ]
