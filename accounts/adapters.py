"""What the log-in door does the bank's way: allauth asks here."""

import unicodedata
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import is_headless_request
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.callers import forget_standing
from accounts.keys import revoke_keys_of
from accounts.logins import note_log_in, note_log_in_of
from accounts.models import LogInResult, SessionKind, User
from accounts.notices import tell_of_change, tell_of_log_in
from accounts.open_sessions import begin_session, end_sessions_of
from accounts.services import head_office
from accounts.sessions import LANGUAGE_IN_SESSION
from core import clock
from core.client_address import client_address
from notifications.mail import Mail, Words, queue_mail

_BY_PASSWORD: Final = "reauthenticate"  # noqa: S105  # what allauth calls it


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Makes people of forms, keeps the history of log-ins, and says who is logged in where."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:  # noqa: FBT001, FBT002  # as allauth calls it
        """Save a person who signs up, with the name and the branch that they chose."""
        user.full_name = form.cleaned_data["full_name"]
        user.branch = form.cleaned_data.get("branch") or head_office()
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that attempts are counted by."""
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt.

        Raises:
            ValidationError: there were too many, or this can be nobody's password.
        """
        if _holds_half_character(str(credentials.get("password", ""))):
            code = "email_password_mismatch"
            raise self.validation_error(code)
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            note_log_in_of(request, email=_email(credentials), result=LogInResult.LOCKED_OUT)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note a wrong password, or nobody's address."""
        note_log_in_of(request, email=_email(credentials), result=LogInResult.WRONG_PASSWORD)

    def login(self, request: HttpRequest, user: User) -> None:
        """Let somebody in who has passed all that is asked."""
        super().login(request, user)
        kind = SessionKind.PROGRAM if is_headless_request(request) == "app" else SessionKind.BROWSER
        begin_session(request, person=user, kind=kind, now=clock.now())
        request.session[LANGUAGE_IN_SESSION] = user.language
        row = note_log_in(request, person=user.pk, result=LogInResult.SUCCEEDED)
        tell_of_log_in(request, user, log_in=row)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Turn somebody away who is suspended, or no customer any more."""
        note_log_in(request, person=user.pk, result=LogInResult.NOT_ACTIVE)
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def clean_password(self, password: str, user: User | None = None) -> str:
        """Return a new password.

        Raises:
            ValidationError: it cannot be kept, or would be guessed early.
        """
        if _holds_half_character(password):
            message = _("The password holds half of a character; please retype it.")
            raise ValidationError(message, code="text_has_surrogate")
        checked: str = super().clean_password(password, user)
        return checked

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell of a change by the outbox: no page waits for a mail server."""
        subject = render_to_string(f"{template_prefix}_subject.txt", context or {})
        tell_of_change(self.request, user, what=" ".join(subject.split()))
        if email and email != user.email:
            # Whose address was changed by somebody else reads it at the one before.
            self._queue(template_prefix, email, context or {}, user)

    def _queue(self, name: str, email: str, context: dict[str, Any], user: User) -> None:
        mail = self.render_mail(name, email, {"user": user, **context})
        words = Words(subject=mail.subject, text=mail.body)
        queue_mail(Mail(to=email, kind="security", words=words, person=user.pk), now=clock.now())

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell somebody who signs up again, with as much work as a new person's password takes."""
        make_password(email)
        super().send_account_already_exists_mail(email)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Return how somebody shows once more who they are: by their second factor, if they can."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [one for one in methods if one["id"] != _BY_PASSWORD] or methods

    def reauthenticate(self, user: User, password: str) -> bool:
        """Tell whether a password shows who somebody is; not of who has a second factor."""
        return not is_mfa_enabled(user) and bool(super().reauthenticate(user, password))

    def set_password(self, user: User, password: str) -> None:
        """Set a password; what acts for its owner elsewhere ends: sessions and API keys."""
        with transaction.atomic():
            # Whoever makes a key takes turns with this, and none is left that was made before.
            User.objects.select_for_update().filter(pk=user.pk).first()
            super().set_password(user, password)
            revoke_keys_of(user.pk)
        end_sessions_of(user.pk, but=self.request.session.session_key)
        forget_standing(user.pk)


def _holds_half_character(text: str) -> bool:
    """Tell whether a text cannot be hashed: JSON may hold half a surrogate pair."""
    return any(unicodedata.category(one) == "Cs" for one in text)


def _email(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email", ""))
