"""What the models said of an application, as columns of its page in the Django admin."""

from typing import Final

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loans.models import LoanApplication
from loans.risk.assessing import score_of

SCORE_FIELDS: Final = ("risk", "counts_against", "looked_at_without")


class ScoreColumns:
    """Shows the raw score to staff: never to applicants."""

    @admin.display(description=gettext_lazy("default risk"))
    def risk(self, application: LoanApplication) -> str:
        """Show the probability and the band, and what the challenger says."""
        score = score_of(application.pk)
        if score is None or score.probability is None:
            return "—"
        words = f"{score.probability:.1%}, {score.get_band_display()}"
        if score.challenger_probability is not None:
            words += " " + _("(challenger: %(chance)s)") % {
                "chance": f"{score.challenger_probability:.1%}"
            }
        return words

    @admin.display(description=gettext_lazy("counts against it"))
    def counts_against(self, application: LoanApplication) -> str:
        """Show the reasons, as the applicant reads them."""
        score = score_of(application.pk)
        return " ".join(score.reasons) if score and score.reasons else "—"

    @admin.display(description=gettext_lazy("look without the score"))
    def looked_at_without(self, application: LoanApplication) -> str:
        """Show why a person has to look without it."""
        score = score_of(application.pk)
        if score is None or not score.review:
            return "—"
        return f"{score.get_review_display()} {score.detail}".strip()
