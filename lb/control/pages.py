"""The balancer in the Django admin: its backends as they are, and how to change or drain one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from core.errors import DomainError
from lb.control import registry
from lb.control.courses import Course, busiest, course
from lb.control.figures import Figures, figures_by_backend
from lb.control.history import Moment, last_minutes
from lb.control.models import Backend, BackendEvent, BackendState, Policy
from lb.control.registry import Change
from lb.control.selectors import current_policy, current_rate_limit, events

GOVERN: Final = "lb.govern_backend"
_EVENTS: Final = 20
_FIELDS: Final[Mapping[str, Any]] = {
    "state": gettext_lazy("state"),
    "is_up": gettext_lazy("health"),
    "weight": gettext_lazy("weight"),
    "zone": gettext_lazy("zone"),
    "place": gettext_lazy("address"),
    "policy": gettext_lazy("policy"),
    "requests_per_second": gettext_lazy("requests a second of a client"),
    "burst": gettext_lazy("requests at once of a client"),
}
_WORDS: Final[Mapping[Any, Any]] = {
    **dict(BackendState.choices),
    **dict(Policy.choices),
    "True": gettext_lazy("up"),
    "False": gettext_lazy("down"),
}
_LIVE_SECONDS: Final = "5"


class WeightForm(forms.Form):
    """What of a backend can be changed."""

    weight = forms.IntegerField(
        label=gettext_lazy("Weight"),
        min_value=1,
        max_value=1000,
        help_text=gettext_lazy("Beside a backend of 100, one of 50 gets half as many requests."),
    )
    zone = forms.CharField(label=gettext_lazy("Zone"), max_length=40, required=False)


class DrainForm(forms.Form):
    """The word of who drains a backend that it is meant."""

    is_meant = forms.BooleanField(
        label=gettext_lazy("It shall leave"),
        error_messages={"required": gettext_lazy("Say that you mean it.")},
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A backend with what is measured of it. ``share`` is in percent of all requests.

    ``slowest`` is the p99 of the slowest backend: the whole length of a bar.
    """

    backend: Backend
    figures: Figures
    share: float
    slowest: float

    @property
    def p50(self) -> float | None:
        """Milliseconds that half of the answers took at most."""
        return self.figures.milliseconds(0.5)

    @property
    def p99(self) -> float | None:
        """Milliseconds that all but one of a hundred answers took at most."""
        return self.figures.milliseconds(0.99)

    @property
    def share_bar(self) -> int:
        """How long the bar of its share is, of 100."""
        return round(self.share)

    @property
    def latencies(self) -> list[tuple[int, float | None]]:
        """Both latencies, each with how long its bar is, of 100."""
        return [(round(100 * (one or 0) / self.slowest), one) for one in (self.p50, self.p99)]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing of the last minutes with its title, and how its values are written."""

    title: str
    course: Course
    decimals: int
    unit: str


def _servers(request: HttpRequest) -> HttpResponse:
    """Show all backends and what happened lately; with ``live`` anew every few seconds."""
    is_live = "live" in request.GET
    now = clock.now()
    moments = last_minutes(now)
    names = busiest(moments)
    happened = events(after=_before(request), limit=_EVENTS)
    answer = _shown(
        request,
        "servers",
        _("Load balancer"),
        rows=_rows(),
        drawn=_drawn(moments, names),
        names=names,
        told=[(one, [(one.share(name), one.p99(name)) for name in names]) for one in moments],
        policy=Policy(current_policy()).label,
        limit=current_rate_limit(),
        events=[(one, _in_words(one)) for one in happened],
        older=happened[-1].pk if len(happened) == _EVENTS else None,
        may_govern=request.user.has_perm(GOVERN),
        is_live=is_live,
        looked_at=now,
    )
    if is_live:
        # Asked for by the reader, and without a script.
        answer["Refresh"] = _LIVE_SECONDS
    return answer


def _server(request: HttpRequest, backend_id: UUID) -> HttpResponse:
    """Show what can be done with a backend, and do it."""
    if not request.user.has_perm(GOVERN):
        raise PermissionDenied
    try:
        backend = registry.backend_of(backend_id)
        usual = {"weight": backend.weight, "zone": backend.zone}
        form = WeightForm(request.POST if "weight" in request.POST else None, initial=usual)
        drain = DrainForm(request.POST if "drain" in request.POST else None)
        if request.method == "POST" and _is_done(request, backend_id, form, drain):
            return HttpResponseRedirect(reverse("admin-servers"))
        if form.is_valid():
            return _asked_again(request, backend, form.cleaned_data)
    except DomainError as error:
        return _shown(
            request, "servers_refusal", _("Load balancer"), status=error.http_status, error=error
        )
    is_refused = form.errors or drain.errors
    return _shown(
        request,
        "server",
        backend.name,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK,
        backend=backend,
        form=form,
        drain=drain,
        drains=backend.state == BackendState.DRAINING,
    )


servers = admin.site.admin_view(require_safe(_servers))
server = admin.site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(_server))


def _is_done(request: HttpRequest, backend_id: UUID, form: WeightForm, drain: DrainForm) -> bool:
    by = Change(now=clock.now(), actor=request.user.pk)
    if "drain" in request.POST:
        if not drain.is_valid():
            return False
        registry.drain_backend(backend_id, by=by)
        return True
    if not form.is_valid() or "sure" not in request.POST:
        return False
    registry.change_backend(backend_id, **form.cleaned_data, by=by)
    return True


def _asked_again(request: HttpRequest, backend: Backend, asked: Mapping[str, Any]) -> HttpResponse:
    """Show what a change would do, before it is made."""
    serving = registry.backends().filter(state__in=registry.SERVING).exclude(pk=backend.pk)
    others = sum(serving.values_list("weight", flat=True))
    parts = [100 * weight / (others + weight) for weight in (backend.weight, asked["weight"])]
    return _shown(
        request,
        "server_change",
        _("Change %(name)s?") % {"name": backend.name},
        backend=backend,
        asked=asked,
        parts=parts,
    )


def _drawn(moments: Sequence[Moment], names: Sequence[str]) -> list[Drawn]:
    """Draw the last minutes; nothing, when nobody asked in them."""
    if not names:
        return []
    shares = course(moments, names, Moment.share, most=100)
    latencies = course(moments, names, Moment.p99)
    return [
        Drawn(_("Share of the requests"), shares, 0, "%"),
        Drawn(_("99 of 100 within"), latencies, -1, "ms"),
    ]


def _rows() -> list[Row]:
    measured = figures_by_backend()
    whole = sum(one.requests for one in measured.values()) or 1
    found = [(one, measured.get(one.name) or Figures()) for one in registry.backends()]
    slowest = max((figures.milliseconds(0.99) or 0 for _one, figures in found), default=0) or 1
    return [Row(one, figures, 100 * figures.requests / whole, slowest) for one, figures in found]


def _before(request: HttpRequest) -> list[int] | None:
    """Return the event before which those to show were; what is no number of one is passed over."""
    found = request.GET.get("before", "")
    return [int(found)] if re.fullmatch(r"\d{1,18}", found, re.ASCII) else None


def _given(*values: Any) -> list[str]:
    return [str(one) for one in values if one not in {None, ""}]


def _in_words(event: BackendEvent) -> str:
    """Say what changed: from what, where there was something, to what."""
    said = []
    for name, (before, after) in event.changes.items():
        words = [str(_WORDS.get(one, one)) for one in _given(before, after)]
        said.append(f"{_FIELDS.get(name, name)}: {' → '.join(words) or '–'}")  # noqa: RUF001  # as in tables
    return ", ".join(said)


def _shown(
    request: HttpRequest, name: str, title: str, *, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    known = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/pages/{name}.html", known, status=status)
