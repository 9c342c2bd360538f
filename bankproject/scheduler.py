"""Beat's time-table in the database: the code gives defaults, an admin's change stands."""

from typing import Any

from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from core.alive import show_alive


class BankScheduler(DatabaseScheduler):  # type: ignore[misc]  # it is untyped
    """Writes the defaults that are missing, and lets the others be."""

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due, and show that beat goes on."""
        show_alive()
        return float(super().tick(*args, **options))

    def update_from_dict(self, mapping: dict[str, Any]) -> None:
        """Add the entries of the code that the database has not."""
        known = set(PeriodicTask.objects.values_list("name", flat=True))
        super().update_from_dict({name: mapping[name] for name in mapping.keys() - known})

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """Read every entry: by its guess at hours the library's own way misses what is overdue."""
        return PeriodicTask.objects.filter(enabled=True)  # type: ignore[no-any-return]  # it is untyped
