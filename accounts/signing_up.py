"""Signing up by program: as on the page, with an answer for each step."""

from allauth.account.internal.flows.signup import complete_signup
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.account.inputs import SignupInput
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.door import TooManyAttempts, session_of_program
from accounts.sessions import SessionStore
from core.errors import DomainError


class CannotSignUp(DomainError):
    """What somebody tells of themselves is not right; ``faults`` say what, by field."""

    code = "invalid_request"

    def __init__(self, faults: dict[str, list[ValidationError]]) -> None:
        super().__init__(_("Something that you told is not right."))
        self.faults = faults


def sign_up(
    request: HttpRequest, *, email: str, password: str, full_name: str, branch: str | None
) -> None:
    """Let somebody become a customer, as soon as they follow the link in the mail they get now.

    Who has an account under the address is told so by mail: the answer does not show it.

    Raises:
        CannotSignUp, TooManyAttempts
    """
    told = {"email": email, "password": password, "full_name": full_name, "branch": branch or ""}
    with session_of_program(request, SessionStore()):
        if not ratelimit.consume(request, action="signup"):
            message = _("There were too many attempts. Please try again in a few minutes.")
            raise TooManyAttempts(message)
        typed = SignupInput(told)
        if not typed.is_valid():
            raise CannotSignUp(typed.errors.as_data())
        try:
            person, answer = typed.try_save(request)
            if answer is None:
                complete_signup(request, user=person)
        except ImmediateHttpResponse:
            # The mail is on its way: what would come next on pages is of no use here.
            return
