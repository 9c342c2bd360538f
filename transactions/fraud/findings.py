"""What rules find: values, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rule(models.TextChoices):
    """What raises an alert."""

    VELOCITY = "velocity", _("many payments in a short time")
    NEW_PAYEE = "new_payee", _("a large payment to a new payee")
    STRUCTURING = "structuring", _("cash in pieces below the reported amount")
    TRAVEL = "travel", _("improbable travel")
    ANOMALY = "anomaly", _("unlike anything before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found about an account, or about a person.

    ``facts`` fit into JSON, and its sentence is made of them. ``once_for`` names what is told once;
    without, the rule tells of this account or person once a day of the bank's.
    """

    rule: Rule
    at: datetime
    facts: Mapping[str, Any]
    account: int | None = None
    person: int | None = None
    transfers: tuple[UUID, ...] = field(default=())
    once_for: str = ""
