"""Branches, and the districts that people live in."""

from typing import ClassVar

from django.db import models


class Branch(models.Model):
    """A branch of the bank. Account numbers begin with its number."""

    code = models.CharField(max_length=8, unique=True)
    number = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        """Branches in the order of their numbers."""

        verbose_name_plural = "branches"
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(number__range=(100, 999)), name="branch_number_has_three_digits"
            ),
        ]

    def __str__(self) -> str:
        """Name the branch."""
        return f"{self.code} {self.name}"


class District(models.Model):
    """A district people live in, with what the statistics say of it (as of the data's source)."""

    code = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=80)
    region = models.CharField(max_length=80)
    inhabitants = models.PositiveIntegerField()
    municipalities_below_500 = models.PositiveIntegerField()
    municipalities_below_2000 = models.PositiveIntegerField()
    municipalities_below_10000 = models.PositiveIntegerField()
    municipalities_above_10000 = models.PositiveIntegerField()
    cities = models.PositiveIntegerField()
    urban_share = models.DecimalField(max_digits=4, decimal_places=1)
    average_salary = models.PositiveIntegerField()
    unemployment_1995 = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    unemployment_1996 = models.DecimalField(max_digits=5, decimal_places=2)
    entrepreneurs_per_1000 = models.PositiveIntegerField()
    crimes_1995 = models.PositiveIntegerField(null=True)
    crimes_1996 = models.PositiveIntegerField()

    class Meta:
        """Districts in the order of their codes."""

        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        """Name the district."""
        return f"{self.name}, {self.region}"
