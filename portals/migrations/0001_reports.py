"""Keep monthly reports, and to whom each was mailed."""

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
            name="MonthlyReport",
            fields=[
                (
                    "month",
                    models.DateField(primary_key=True, serialize=False, verbose_name="month"),
                ),
                ("as_of", models.DateTimeField(verbose_name="as of")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("figures", models.JSONField(verbose_name="figures")),
            ],
            options={
                "ordering": ["-month"],
                "permissions": [("send_monthlyreport", "Can have monthly reports made and sent")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ReportMailing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("copy", models.PositiveSmallIntegerField()),
                ("queued_at", models.DateTimeField(verbose_name="sent")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mailings",
                        to="portals.monthlyreport",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("report", "person", "copy"), name="report_mailed_once"
                    )
                ],
            },
        ),
    ]
