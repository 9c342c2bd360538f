"""The inbox of what others ask for, in the Django admin."""

from collections.abc import Collection
from typing import Any, ClassVar, Final, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST

from accounts.access_log import note_requests_viewed
from accounts.admin.asking import Asking
from accounts.admin.forms import CodeForm, ReasonForm
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.approvals import DECIDE, approve_with_code, refuse, waiting_for, why_not
from accounts.models import Approval, ApprovalState, User
from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.api.step_up import StepUp
from core.errors import DomainError

# What stands elsewhere on the page.
_TOLD_BESIDE: Final = frozenset({"account", "user_id", "reason"})


class Box(admin.SimpleListFilter):
    """Which part of the inbox: a tab each. Without a choice, what waits for the person."""

    title = _lazy("box")
    parameter_name = "box"
    template = "admin/no_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002  # Django passes them
        """Return the tabs."""
        return [
            ("waiting", _lazy("Waiting for me")),
            ("mine", _lazy("My requests")),
            ("decided", _lazy("Decided")),
            ("all", _lazy("All")),
        ]

    def value(self) -> str:
        """Return the tab that is open."""
        return super().value() or "waiting"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        """Return what lies in the open tab."""
        me = int(request.user.pk or 0)
        if self.value() == "mine":
            return queryset.filter(maker=me)
        if self.value() == "decided":
            return queryset.exclude(state=ApprovalState.WAITING)
        if self.value() == "all":
            return queryset
        # What may concern the person otherwise is told when it is opened: branches must be asked.
        return waiting_for(me, among=queryset)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin, NotedAdmin):
    """Requests, and the two buttons that decide about them; whom they name learns who looked."""

    list_display = ("what", "about", "reason", "maker", "asked_at", "state", "checker")
    list_filter = (Box, "state", "action", "asked_at")
    search_fields = ("maker__full_name", "checker__full_name", "reason")
    search_help_text = _lazy("Who asked or decided, or why")
    list_select_related: ClassVar = ("maker", "checker")
    change_list_template = "admin/approvals.html"
    fields = (
        "what",
        "about",
        "wanted",
        "reason",
        "maker",
        "asked_at",
        "state",
        "checker",
        "decided_at",
        "words",
        "came_of_it",
    )
    change_form_template = "admin/approval.html"

    one = "request"
    many = "list of requests"

    @admin.display(description=_lazy("what"), ordering="action")
    def what(self, asked: Approval) -> str:
        """Return what is asked for."""
        return asked.shown_action

    @admin.display(description=_lazy("about"))
    def about(self, asked: Approval) -> str:
        """Return which account, and whom by their user ID."""
        named = (asked.payload.get(name) for name in ("account", "user_id"))
        return ", ".join(str(one) for one in named if one) or "—"

    @admin.display(description=_lazy("in detail"))
    def wanted(self, asked: Approval) -> str:
        """Return all that is asked for."""
        told = [(name, value) for name, value in asked.told.items() if name not in _TOLD_BESIDE]
        return format_html_join(
            "", "<div>{}: {}</div>", ((_name(one), _shown(v)) for one, v in told)
        )

    @admin.display(description=_lazy("result"))
    def came_of_it(self, asked: Approval) -> str:
        """Return what came of the request, in its own words."""
        told = [(_name(one), _shown(value)) for one, value in (asked.result or {}).items()]
        return format_html_join("", "<div>{}: {}</div>", told) or "—"

    def note_look(self, request: HttpRequest, rows: Collection[Approval], *, what: str) -> None:
        """Note the look for the people, and for all who hold the accounts."""
        note_requests_viewed(rows, viewer=int(request.user.pk or 0), what=what)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, those of the buttons first."""
        site = self.admin_site
        return [
            path("<int:pk>/approve/", site.admin_view(self.approve), name="approval_approve"),
            path("<int:pk>/refuse/", site.admin_view(self.refuse), name="approval_refuse"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the inbox with its tabs."""
        answer = super().changelist_view(request, extra_context)
        context: dict[str, Any] = getattr(answer, "context_data", {})
        if "cl" in context:
            box = next(one for one in context["cl"].filter_specs if isinstance(one, Box))
            context["tabs"] = [
                {"name": name, "title": title, "is_open": name == box.value()}
                for name, title in box.lookup_choices
            ]
        return answer

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a request, with the buttons to those who may decide."""
        found = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {}), **_decision_of(request, found)}
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


def _decision_of(request: HttpRequest, asked: Approval | None) -> dict[str, Any]:
    """Return whether the person may decide about a request that waits, and else why not."""
    if asked is None or asked.state != ApprovalState.WAITING:
        return {"may_decide": False}
    if not request.user.has_perm(DECIDE):
        return {"may_decide": False, "why_not": _("You may not decide about requests.")}
    reason = why_not(asked, person=int(request.user.pk or 0))
    return {"may_decide": reason is None, "why_not": reason}


def _name(field: str) -> str:
    return _(field.replace("_", " ").capitalize())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(one)}" for name, one in value.items())
    return "—" if value is None else str(value)


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
