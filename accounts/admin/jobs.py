"""Work in the background in the Django admin: the time-table, jobs, and how tasks ended."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult

from accounts.admin.look import BankAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from core import clock
from core.jobs.models import Job
from core.jobs.queue import retry_dead

RETRY = "core.retry_job"

# Their own pages need scripts that the bank's policy forbids.
admin.site.unregister(
    [PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule]
)
admin.site.unregister([TaskResult, GroupResult])


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, how far each is, and those that failed for good, which may be tried again."""

    list_display = ("name", "key", "state", "progress", "tries", "next_attempt_at", "failure")
    list_filter = ("state", "name", "queued_at")
    search_fields = ("name", "key")
    fields = (
        *("name", "key", "arguments", "queue", "state", "progress", "tries"),
        *("next_attempt_at", "failure", "queued_at", "begun_at", "ended_at"),
    )
    actions = ("retry",)
    show_full_result_count = False

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, job: Job) -> str:
        """Say how much is done."""
        if job.total is None:
            return str(job.done or "")
        return _("%(done)s of %(total)s") % {"done": job.done, "total": job.total}

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may let a job be tried again."""
        return request.user.has_perm(RETRY)

    @admin.action(description=gettext_lazy("Try again"), permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Let the chosen jobs that failed for good be tried again."""
        count = retry_dead(chosen, now=clock.now())
        words = ngettext("%d job is tried again.", "%d jobs are tried again.", count)
        messages.success(request, words % count)


class TimesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """When a task is woken: every so many seconds, or once a day."""

    seconds = forms.IntegerField(
        label=gettext_lazy("Every … seconds"), min_value=1, max_value=86_400, required=False
    )
    at = forms.TimeField(
        label=gettext_lazy("Daily at (UTC)"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    class Meta:
        """Whether it is woken at all."""

        model = PeriodicTask
        fields: ClassVar = ["enabled"]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        task = self.instance
        if task.interval is not None:
            self.fields["seconds"].initial = int(task.interval.schedule.seconds)
        elif task.crontab is not None:
            self.fields["at"].initial = f"{task.crontab.hour:0>2}:{task.crontab.minute:0>2}"

    def clean(self) -> dict[str, Any]:
        """Refuse neither and both.

        Raises:
            ValidationError
        """
        cleaned = super().clean() or {}
        if (cleaned.get("seconds") is None) == (cleaned.get("at") is None):
            message = _("Give either the seconds or the time of day.")
            raise ValidationError(message, code="one_of_two")
        return cleaned

    def save(self, commit: bool = True) -> PeriodicTask:  # noqa: FBT001, FBT002  # as Django calls it
        """Give the task its times; beat reads them within seconds."""
        task, at = self.instance, self.cleaned_data["at"]
        task.interval = task.crontab = None
        if at is None:
            task.interval, _made = IntervalSchedule.objects.get_or_create(
                every=self.cleaned_data["seconds"], period=IntervalSchedule.SECONDS
            )
        else:
            task.crontab, _made = CrontabSchedule.objects.get_or_create(
                minute=str(at.minute), hour=str(at.hour), timezone="UTC"
            )
        saved: PeriodicTask = super().save(commit)
        return saved


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BankAdmin):
    """The time-table: which task is woken when. The code says what tasks there are."""

    form = TimesForm
    list_display = ("name", "enabled", "when", "queue", "last_run_at")
    list_filter = ("enabled", "queue")
    list_select_related: ClassVar = ("interval", "crontab")
    fields = ("name", "task", "queue", "last_run_at", "enabled", "seconds", "at")
    readonly_fields = ("name", "task", "queue", "last_run_at")

    @admin.display(description=gettext_lazy("when"))
    def when(self, task: PeriodicTask) -> str:
        """Say when the task is woken."""
        return str(task.interval or task.crontab)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django passes it
        """Add nothing here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing: the default would come again."""
        return False


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin):
    """How tasks ended: those of a day, and every one that failed."""

    list_display = ("task_name", "status", "date_done", "worker")
    list_filter = ("status", "task_name", "date_done")
    fields = (
        *("task_id", "task_name", "periodic_task_name", "status", "worker"),
        *("date_created", "date_done", "result", "traceback"),
    )
    show_full_result_count = False
