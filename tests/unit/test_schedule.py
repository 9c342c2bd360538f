"""What beat is told to wake exists."""

from django.conf import settings

from bankproject.celery import app


def test_every_task_of_the_schedule_is_known_to_the_worker() -> None:
    app.loader.import_default_modules()
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "notifications.tasks.deliver_webhooks" in wanted
    assert wanted <= set(app.tasks)
