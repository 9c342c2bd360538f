"""Jobs, each done once, and how far each has come."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class JobQueue(models.TextChoices):
    """How soon a job is looked at: jobs of hours keep none of seconds waiting."""

    NORMAL = "normal", _("normal")
    LONG = "long", _("long")


class JobState(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    DEAD = "dead", _("failed for good")


class Job(models.Model):
    """A piece of work by the name of its declaration; the same ``key`` is queued once.

    ``next_attempt_at`` is when a queued job is due, and when a running one is given up for lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    arguments = models.JSONField(default=dict)
    queue = models.CharField(max_length=8, choices=JobQueue)
    state = models.CharField(max_length=8, choices=JobState, default=JobState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    failure = models.CharField(max_length=400, blank=True)
    queued_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """What is due is found without the history."""

        ordering: ClassVar = ["-queued_at", "-id"]
        default_permissions = ("view",)
        permissions: ClassVar = [("retry_job", "Can let failed jobs be tried again")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "key"], name="job_queued_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["queue", "next_attempt_at"],
                name="job_due",
                condition=Q(state__in=["queued", "running"]),
            ),
            models.Index(fields=["-queued_at", "-id"], name="job_newest"),
        ]

    def __str__(self) -> str:
        """Name the work, and which of its kind it is."""
        return f"{self.name} {self.key}"
