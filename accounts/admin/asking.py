"""Pages of the Django admin that ask for something and do it: a form, a service, and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from core.errors import DomainError

REFUSED = 422


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A page: what it asks, what is done with the answer, what is said then, and where it leads."""

    title: str
    button: str
    form: forms.Form
    work: Callable[[Mapping[str, Any]], object]
    done: str
    back: str

    def answer(self, request: HttpRequest, page: "admin.ModelAdmin[Any]") -> HttpResponse:
        """Do what a form without faults asks for; else show it, with what is wrong."""
        if self.form.is_bound and self.form.is_valid() and self._is_done():
            messages.success(request, self.done)
            return redirect(self.back)
        context = {
            **page.admin_site.each_context(request),
            "title": self.title,
            "opts": page.opts,
            "asking": self,
        }
        status = REFUSED if self.form.errors else 200
        return TemplateResponse(request, "admin/asking.html", context, status=status)

    def _is_done(self) -> bool:
        try:
            self.work(self.form.cleaned_data)
        except DomainError as error:
            field = error.field if error.field in self.form.fields else None
            self.form.add_error(field, error.message)
            return False
        return True
