"""What all these pages share: who is let in, and the admin's frame."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from core.errors import DomainError
from portals.employee.page import refusal

View = Callable[[HttpRequest], HttpResponseBase]


def admin_page(permission: str | None = None) -> Callable[[View], View]:
    """Return a decorator that lets admins in: all of them, or those with a permission."""

    def decorate(view: View) -> View:
        @wraps(view)
        def page(request: HttpRequest) -> HttpResponseBase:
            if permission is not None and not request.user.has_perm(permission):
                raise PermissionDenied
            try:
                return view(request)
            except DomainError as error:
                return refusal(request, error)

        return admin.site.admin_view(page)

    return decorate


def shown(
    request: HttpRequest, name: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page of ``templates/admin/pages`` in the admin's frame."""
    known = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/pages/{name}.html", known, status=status)
