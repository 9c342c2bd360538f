"""What the bank keeps of models: which there are, who served when, their scores, how they held."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.audit import APPEND_ONLY
from loans.risk.reasons import in_words
from loans.risk.registry import Role
from loans.risk.scoring import Band, Review


class TrainingData(models.TextChoices):
    """What a model that can score the bank's applications was trained on."""

    BOOK = "book", _("loans of this bank")
    BERKA = "berka", _("loans of another bank")
    INVENTED = "invented", _("invented loans")


class RiskModel(models.Model):
    """A trained model that can score the bank's applications, by the digest of its entry.

    ``bias`` is whom it would have let through of those it was trained on, over each grouping.
    """

    digest = models.CharField(max_length=64, unique=True)
    data = models.CharField(max_length=12, choices=TrainingData)
    family = models.CharField(max_length=20)
    loans = models.PositiveIntegerField()
    bad = models.PositiveIntegerField()
    auc = models.FloatField()
    bias = models.JSONField()
    trained_at = models.DateTimeField()

    class Meta:
        """The newest first."""

        ordering: ClassVar = ["-trained_at", "-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("manage_risk", _("Can train and appoint risk models"))]

    def __str__(self) -> str:
        """Say what it learned from, how, and when."""
        return f"{self.get_data_display()}, {self.family}, {self.trained_at:%F}"

    @property
    def short_digest(self) -> str:
        """Enough of the digest to tell models apart."""
        return self.digest[:12]


class RiskModelFile(models.Model):
    """A model's entry and the model itself, on which the digests are: every machine finds them."""

    model = models.OneToOneField(RiskModel, models.PROTECT, primary_key=True, related_name="file")
    entry = models.BinaryField()
    classifier = models.BinaryField()

    class Meta:
        """Nobody is shown it."""

        default_permissions = ()

    def __str__(self) -> str:
        """Show whose it is."""
        return str(self.model_id)


class RiskAppointment(models.Model):
    """That a model serves in a role from now on, until the next one; without one, none does.

    Who asked and who approved are empty where the demo appointed its own.
    """

    role = models.CharField(max_length=12, choices=Role)
    model = models.ForeignKey(RiskModel, models.PROTECT, null=True, related_name="appointments")
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    appointed_at = models.DateTimeField()

    class Meta:
        """The newest first; what was decided stays as it is."""

        ordering: ClassVar = ["-pk"]
        default_permissions = ()
        triggers: ClassVar = [APPEND_ONLY]

    def __str__(self) -> str:
        """Say who serves as what."""
        return f"{self.role}: {self.model_id}"


class Outcome(models.TextChoices):
    """What became of a loan."""

    REPAID = "repaid", _("repaid")
    BAD = "bad", _("more than 90 days late, or written off")


class RiskScore(models.Model):
    """What the champion said of an application on the day it was sent in, or again on a later day.

    ``features`` are of the day of application, and what models train on once the ``outcome`` is
    known. ``raised`` are the columns that count most against it, the worst first.
    """

    application = models.ForeignKey(
        "loans.LoanApplication", models.PROTECT, related_name="risk_scores"
    )
    rescored_on = models.DateField(null=True)
    model = models.ForeignKey(RiskModel, models.PROTECT, null=True, related_name="scores")
    probability = models.FloatField(null=True)
    band = models.CharField(max_length=8, choices=Band, blank=True)
    raised = models.JSONField(default=list)
    review = models.CharField(max_length=16, choices=Review, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    challenger = models.ForeignKey(RiskModel, models.PROTECT, null=True, related_name="+")
    challenger_probability = models.FloatField(null=True)
    features = models.JSONField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)
    scored_at = models.DateTimeField()

    class Meta:
        """Once when it is sent in, and once a day at most after."""

        ordering: ClassVar = ["-scored_at", "-pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "rescored_on"],
                nulls_distinct=False,
                name="loan_risk_score_once",
            ),
            models.CheckConstraint(
                condition=models.Q(probability__isnull=True)
                | models.Q(probability__gt=0, probability__lt=1, model__isnull=False),
                name="loan_risk_score_by_a_model",
            ),
        ]

    def __str__(self) -> str:
        """Show the application and the day."""
        return f"{self.application_id}, {self.scored_at:%F}"

    @property
    def percent(self) -> str:
        """The probability, in percent."""
        return f"{100 * (self.probability or 0):.1f}"

    @property
    def reasons(self) -> list[str]:
        """What raised it, as an applicant understands it."""
        return [in_words(column) for column in self.raised]


class RiskWatch(models.Model):
    """How a champion held in a month: whether others apply than it learned from, and what became.

    ``stability`` is the population stability index, None of too few scores. ``ended``, ``bad`` and
    what was expected are of all loans by then whose outcome is known.
    """

    model = models.ForeignKey(RiskModel, models.PROTECT, related_name="watches")
    month = models.DateField()
    scores = models.PositiveIntegerField()
    stability = models.FloatField(null=True)
    ended = models.PositiveIntegerField()
    bad = models.PositiveIntegerField()
    expected = models.FloatField()
    challenger_expected = models.FloatField(null=True)
    is_drifting = models.BooleanField()
    is_failing = models.BooleanField()

    class Meta:
        """The newest first; each month of a model once."""

        ordering: ClassVar = ["-month", "-pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "month"], name="loan_risk_watch_once"),
        ]

    def __str__(self) -> str:
        """Show the month."""
        return f"{self.month:%Y-%m}"
