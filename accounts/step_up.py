"""Step-up: a sensitive request is made twice, the second time with a code.

The code is of the person's authenticator app, or else comes by e-mail. It is good for this one
request of this person, once, for five minutes.
"""

from datetime import datetime

from core.errors import DomainError


class StepUpRequired(DomainError):
    """A request must come again, with a code. ``members`` say how."""

    code = "step_up_required"
    http_status = 403


class WrongStepUpCode(DomainError):
    """The code is not the one."""

    code = "wrong_step_up_code"
    http_status = 403


def require_step_up(
    caller_pk: int,
    *,
    action: str,
    fingerprint: str,
    challenge: str | None,
    code: str | None,
    now: datetime,
) -> None:
    """Let a request pass that comes with the code of its challenge; else begin a challenge.

    ``fingerprint`` is the same for the same request only. The code is used up when this returns,
    whatever becomes of the request: call it last, just before the work, outside any transaction.

    Raises:
        StepUpRequired: there is no code, or none that is still good.
        WrongStepUpCode: it is another one; it may be tried again, five times in all.
    """
    raise NotImplementedError
