"""Let an admin say how much one client may ask of the data planes."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Two columns, both or none of them given."""

    dependencies: ClassVar = [("lb", "0001_registry")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="balancing",
            name="requests_per_second",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="balancing",
            name="burst",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="balancing",
            constraint=models.CheckConstraint(
                condition=Q(requests_per_second__isnull=True, burst__isnull=True)
                | Q(requests_per_second__range=(1, 1_000_000), burst__range=(1, 1_000_000)),
                name="balancing_rate_limit_is_whole",
            ),
        ),
    ]
