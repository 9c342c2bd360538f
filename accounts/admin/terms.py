"""Terms in the Django admin: by date, never changed, and new ones that a second person approves."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.admin.asking import Asking
from accounts.admin.look import BankAdmin
from core import clock


class TermsAdmin(BankAdmin):
    """Terms: whoever adds some asks for them with ``form_of_new``."""

    form_of_new: ClassVar[type[forms.Form]]

    @abstractmethod
    def ask(self, asked: Mapping[str, Any], *, maker: int, now: datetime) -> object:
        """Ask for new terms; may raise any ``DomainError``."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Change nothing: what was earned and lent by terms stands."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for new terms, or show some."""
        if object_id is None:
            return self._ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _ask(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        names = (self.opts.app_label, self.opts.model_name)
        return Asking(
            title=_("Ask for new terms"),
            button=_("Ask for it"),
            form=self.form_of_new(request.POST or None),
            work=lambda asked: self.ask(asked, maker=int(request.user.pk or 0), now=clock.now()),
            done=_("Somebody else must approve it now."),
            back=reverse("admin:{}_{}_changelist".format(*names)),
        ).answer(request, self)
