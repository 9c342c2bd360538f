"""People in the Django admin: their data, and how they stand. Passwords are theirs alone.

Role and status are changed on pages of their own, which ask for a reason; roles by two persons.
"""

from collections.abc import Collection
from typing import Any, ClassVar, Final, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access_log import note_all_viewed
from accounts.admin.asking import Asking
from accounts.admin.forms import RegistrationForm, RoleForm, StatusForm
from accounts.admin.noted import NotedAdmin
from accounts.callers import forget_standing
from accounts.models import Role, Session, User, UserStatus
from accounts.numbers import shown_user_id
from accounts.registering import invite, register_customer
from accounts.roles import ask_role
from accounts.standing import role_of
from accounts.status import change_person_status
from core import clock
from core.errors import DomainError

_SHOWN: Final = (
    "user_id",
    "email",
    "rank",
    "status",
    "branch",
    "last_active",
    "last_login",
    "date_joined",
    "external_reference",
)


@admin.register(User)
class UserAdmin(NotedAdmin):
    """People. Admins look after customers, super admins after staff, too."""

    list_display = ("full_name", "user_id", "email", "rank", "status", "branch", "last_active")
    list_filter = ("role", "is_superuser", "status", "branch", "groups", "last_login")
    list_select_related: ClassVar = ("branch",)
    search_fields = ("full_name", "email", "phone", "number")
    ordering = ("full_name",)
    fields = ("full_name", "phone", "birth_date", "district", *_SHOWN)
    readonly_fields = (*_SHOWN, "standing")
    filter_horizontal = ("groups", "user_permissions")
    change_form_template = "admin/person.html"
    one = "personal data"
    many = "list of people"

    @admin.display(description=gettext_lazy("user ID"), ordering="number")
    def user_id(self, person: User) -> str:
        """Return what people know somebody by, to be copied as a whole."""
        shown = shown_user_id(person.number)
        return format_html(
            '<span class="user-id">{}</span><button type="button" class="copy" data-copy="{}">{}'
            "</button>",
            shown,
            shown,
            _("Copy"),
        )

    @admin.display(description=gettext_lazy("changes of status"))
    def standing(self, person: User) -> str:
        """Return how they came to stand as they do: when, by whom, and why."""
        changes = person.status_changes.select_related("changed_by")
        return format_html_join(
            "",
            "<div>{}: {}, {}, {}</div>",
            (
                (
                    formats.date_format(timezone.localtime(one.changed_at), "DATETIME_FORMAT"),
                    one.get_status_display(),
                    one.changed_by or _("the bank"),
                    one.reason,
                )
                for one in changes
            ),
        )

    @admin.display(description=gettext_lazy("last active"), ordering="last_used_at")
    def last_active(self, person: User) -> Any:
        """Return when a session of theirs was used last; else when they logged in last."""
        return getattr(person, "last_used_at", None) or person.last_login

    @admin.display(description=gettext_lazy("role"), ordering="role")
    def rank(self, person: User) -> str:
        """Return what somebody is to the bank."""
        return _(role_of(person))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return people with when a session of theirs was used last."""
        newest = Session.objects.filter(person=OuterRef("pk")).order_by("-began_at")
        found: QuerySet[User] = super().get_queryset(request)
        return found.annotate(last_used_at=Subquery(newest.values("last_used_at")[:1]))

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        """Show how they came to stand; let super admins give permissions to other admins."""
        fields = list(super().get_fields(request, obj))
        if request.user.has_perm("accounts.view_statuschange"):
            fields.insert(fields.index("status") + 1, "standing")
        me = _me(request)
        if obj is not None and obj.is_staff and me.is_superuser and obj.pk != me.pk:
            fields += ["groups", "user_permissions"]
        return fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let admins change customers, and super admins everybody."""
        is_staff = obj is not None and obj.role != Role.CUSTOMER
        may = super().has_change_permission(request, obj)
        return may and (_me(request).is_superuser or not is_staff)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002  # Django passes them
        """Keep people: journals name them."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  # as Django calls it
        """Save a person, and let no session go on by what they were before."""
        super().save_model(request, obj, form, change)
        forget_standing(obj.pk)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, those of our own pages first."""
        own = {"status": self.status, "role": self.role, "invitation": self.invitation}
        pages = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(page), name=f"person_{name}")
            for name, page in own.items()
        ]
        return [*pages, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Register a customer, or show a person."""
        if object_id is None:
            return self._register(request)
        context = {**(extra_context or {}), "audit_address": _audit_address(request, object_id)}
        return super().changeform_view(request, object_id, form_url, context)

    def note_look(self, request: HttpRequest, rows: Collection[User], *, what: str) -> None:
        """Note the look for the people themselves."""
        note_all_viewed(viewer=_me(request).pk, subjects=[row.pk for row in rows], what=what)

    def status(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Suspend a person, let them in again, or close them."""
        person = self._changeable(request, pk)
        return Asking(
            title=_("Status of %(name)s") % {"name": person},
            button=_("Change the status"),
            form=StatusForm(request.POST or None, initial={"status": person.status}),
            work=lambda asked: change_person_status(
                person.pk,
                status=UserStatus(asked["status"]),
                changed_by=_me(request),
                reason=asked["reason"],
            ),
            done=_("The status is changed."),
            back=_address(person),
        ).answer(request, self)

    def role(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask that a person gets another role."""
        person = self._changeable(request, pk)
        return Asking(
            title=_("Role of %(name)s") % {"name": person},
            button=_("Ask for it"),
            form=RoleForm(request.POST or None, initial={"role": role_of(person)}),
            work=lambda asked: ask_role(
                person, role=asked["role"], maker=_me(request), reason=asked["reason"]
            ),
            done=_("Somebody else must approve it now."),
            back=_address(person),
        ).answer(request, self)

    def invitation(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a customer, by a form's button, the link to choose a password again."""
        person = self._changeable(request, pk)
        if request.method == "POST":
            try:
                invite(person)
            except DomainError as error:
                messages.error(request, error.message)
            else:
                messages.success(request, _("The invitation is sent."))
        return redirect(_address(person))

    def _register(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return Asking(
            title=_("Register a customer"),
            button=_("Register and invite"),
            form=RegistrationForm(request.POST or None),
            work=lambda asked: register_customer(
                email=asked["email"],
                full_name=asked["full_name"],
                branch=asked["branch"].code,
                registered_by=_me(request).pk,
                now=clock.now(),
            ),
            done=_("The customer is registered, and gets a mail to choose a password."),
            back=reverse("admin:accounts_user_changelist"),
        ).answer(request, self)

    def _changeable(self, request: HttpRequest, pk: int) -> User:
        person = self.get_object(request, str(pk))
        if person is None:
            raise Http404
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        return cast("User", person)


def _me(request: HttpRequest) -> User:
    return cast("User", request.user)


def _audit_address(request: HttpRequest, pk: str) -> str | None:
    """Return where the audit of a person is; None for who may not see it."""
    if not request.user.has_perm("accounts.view_auditentry"):
        return None
    query = urlencode({"method": "tracks", "obj": f"accounts.User:{pk}"})
    return f"{reverse('admin:accounts_auditentry_changelist')}?{query}"


def _address(person: User) -> str:
    return reverse("admin:accounts_user_change", args=[person.pk])
