"""Step-up on pages: a form is shown again, with a field for the code."""

from dataclasses import dataclass
from hashlib import sha256

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.step_up import StepUpRequired, WrongStepUpCode
from core.api.step_up import StepUp

CHALLENGE = "step_up_challenge"
CODE = "step_up_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeField:
    """What a page shows to be given a code."""

    challenge: str
    hint: str
    error: str | None


def typed_step_up(request: HttpRequest, *, what: object) -> StepUp:
    """Return what a form says of its step-up; ``what`` is all that it asks for."""
    asked = f"{request.user.pk}\n{request.path}\n{what!r}"
    return StepUp(
        fingerprint=sha256(asked.encode("utf-8", "surrogatepass")).hexdigest(),
        challenge=request.POST.get(CHALLENGE) or None,
        code=request.POST.get(CODE) or None,
    )


def code_field(request: HttpRequest, error: StepUpRequired | WrongStepUpCode) -> CodeField:
    """Return the field that a page shows after a refusal."""
    if isinstance(error, WrongStepUpCode):
        return CodeField(
            challenge=request.POST[CHALLENGE],
            hint=_("Six digits."),
            error=_("This is not the code. Please look again."),
        )
    by_app = error.members["channel"] == "totp"
    return CodeField(
        challenge=error.members["challenge"],
        hint=_("Of your authenticator app.") if by_app else _("We have sent it to you by e-mail."),
        # Whoever typed one already must know why they are asked again.
        error=_("That code is no longer good. Here is a new one.")
        if CODE in request.POST
        else None,
    )
