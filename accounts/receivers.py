"""What must be known of what allauth does, where it offers nothing but signals."""

from typing import Any

from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
)
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.callers import forget_standing
from accounts.logins import note_log_in
from accounts.models import LogInResult, User


@receiver(authentication_failed, dispatch_uid="note_wrong_code")
def note_wrong_code(request: HttpRequest, user: User, **_details: Any) -> None:
    """Add a wrong second factor to the history."""
    note_log_in(request, person=user.pk, result=LogInResult.WRONG_CODE)


@receiver([authenticator_added, authenticator_removed], dispatch_uid="tell_second_factor")
def tell_second_factor(user: User, **_details: Any) -> None:
    """Let every worker know whether a person has a second factor now."""
    forget_standing(user.pk)
