"""The inbox of what others ask for, in the Django admin."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.admin.asking import Asking
from accounts.admin.forms import CodeForm, ReasonForm
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.approvals import DECIDE, approve_with_code, may_decide, refuse
from accounts.models import Approval, ApprovalState, User
from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.api.step_up import StepUp
from core.errors import DomainError


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Requests, and the two buttons that decide about them."""

    list_display = ("action", "reason", "maker", "asked_at", "state", "checker")
    list_filter = ("state", "action")
    list_select_related: ClassVar = ("maker", "checker")
    fields = (
        "action",
        "payload",
        "reason",
        "maker",
        "asked_at",
        "state",
        "checker",
        "decided_at",
        "words",
        "result",
    )
    change_form_template = "admin/approval.html"

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, those of the buttons first."""
        site = self.admin_site
        return [
            path("<int:pk>/approve/", site.admin_view(self.approve), name="approval_approve"),
            path("<int:pk>/refuse/", site.admin_view(self.refuse), name="approval_refuse"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a request, with the buttons to those who may decide."""
        found = self.get_object(request, object_id) if object_id else None
        may = found is not None and _may_decide(request, found)
        context = {**(extra_context or {}), "may_decide": may}
        return super().changeform_view(request, object_id, form_url, context)

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve a request and say what came of it."""
        return require_POST(self._approve)(request, pk)

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Refuse a request, with a reason."""
        checker = _checker(request)
        if not Approval.objects.filter(pk=pk).exists():
            raise Http404
        return Asking(
            title=_("Refuse the request"),
            button=_("Refuse"),
            form=ReasonForm(request.POST or None),
            work=lambda asked: refuse(pk, checker=checker, reason=asked["reason"]),
            done=_("The request is refused."),
            back=_address(pk),
        ).answer(request, self)

    def _approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = CodeForm(request.POST)
        form.is_valid()
        try:
            decided = approve_with_code(
                pk, checker=_checker(request), step_up=_step_up(pk, form), now=clock.now()
            )
        except StepUpRequired as error:
            form = CodeForm(initial={"challenge": error.members["challenge"]})
            return self._ask_code(request, pk, form, error.message)
        except WrongStepUpCode as error:
            form.add_error("code", error.message)
            return self._ask_code(request, pk, form, "")
        except DomainError as error:
            if error.http_status == 404:  # noqa: PLR2004  # HTTP's own number
                raise Http404 from error
            messages.error(request, error.message)
        else:
            _say(request, decided)
        return redirect(_address(pk))

    def _ask_code(self, request: HttpRequest, pk: int, form: CodeForm, hint: str) -> HttpResponse:
        form.fields["code"].help_text = hint
        return Asking(
            title=_("Approve the request"),
            button=_("Approve"),
            form=form,
            work=lambda _asked: None,
            done="",
            back=_address(pk),
        ).answer(request, self)


def _step_up(pk: int, form: CodeForm) -> StepUp:
    asked = form.cleaned_data
    return StepUp(
        fingerprint=f"approval {pk}",
        challenge=asked.get("challenge") or None,
        code=asked.get("code") or None,
    )


def _may_decide(request: HttpRequest, asked: Approval) -> bool:
    person = int(request.user.pk or 0)
    return may_decide(asked, person=person) and request.user.has_perm(DECIDE)


def _say(request: HttpRequest, decided: Approval) -> None:
    if decided.state == ApprovalState.DONE:
        messages.success(request, _("It is approved, and done."))
    elif decided.state == ApprovalState.FAILED:
        messages.error(request, decided.words)
    else:
        messages.warning(request, _("It is approved, and done as soon as the branch is back."))


def _checker(request: HttpRequest) -> int:
    """Return who decides.

    Raises:
        PermissionDenied: they may not.
    """
    if not request.user.has_perm(DECIDE):
        raise PermissionDenied
    return cast("User", request.user).pk


def _address(pk: int) -> str:
    return reverse("admin:accounts_approval_change", args=[pk])
