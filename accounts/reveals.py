"""Personal data that staff see only once they say why."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.access_log import note_revealed
from accounts.reasons import LONGEST_REASON, given_reason
from core.errors import DomainError

REVEALED_FOR: Final = timedelta(minutes=15)
"""How long they stay to be seen, in the session that asked."""


class NothingChosen(DomainError):
    """Nobody said what is to be shown."""

    code = "nothing_chosen"
    http_status = 422

    def __init__(self) -> None:
        super().__init__(_("Choose what you need to see."), field="what")


class PersonalData(models.TextChoices):
    """What is hidden, by what one may need of it without the rest."""

    CONTACT = "contact", _("e-mail and telephone")
    BIRTH = "birth", _("date of birth")
    HOME = "home", _("where they live")
    ORIGIN = "origin", _("network addresses")


class RevealReason(models.TextChoices):
    """Why somebody needs to see it."""

    CUSTOMER_ASKS = "customer_asks", _("the customer asks for help")
    IDENTITY = "identity", _("to check who somebody is")
    CORRECTION = "correction", _("to correct the data")
    COMPLAINT = "complaint", _("a complaint")
    FRAUD = "fraud", _("suspected fraud")
    AUTHORITY = "authority", _("an authority asks")


def reveal(
    *,
    viewer: int,
    subject: int,
    what: Collection[PersonalData],
    reason: RevealReason,
    words: str,
) -> None:
    """Note that a member of staff has a customer's data shown: which, and why.

    Call it before they are shown.

    Raises:
        NothingChosen
        InvalidText: the words are empty, too long, or not one line.
        LookNotNoted: the head office does not answer; nothing may be shown.
    """
    if not what:
        raise NothingChosen
    # Kept in one language, whatever who looks reads in.
    with translation.override(settings.LANGUAGE_CODE):
        labels = ", ".join(str(one.label) for one in PersonalData if one in what)
        label = str(reason.label)
    why = given_reason(words)
    note_revealed(
        viewer=viewer,
        subject=subject,
        what=f"revealed: {labels}",
        reason=f"{label}: {why}"[:LONGEST_REASON],
    )
