"""What alerts say, in a sentence each, in today's language."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Branch
from core.money import Money
from transactions.fraud.findings import Rule
from transactions.fraud.models import FraudAlert

Facts = Mapping[str, Any]

_FEATURES: Final = {
    "amount": gettext_lazy("the amount"),
    "balance": gettext_lazy("how much of the balance it takes"),
    "pace": gettext_lazy("how soon it follows the payment before"),
    "payee": gettext_lazy("a new payee"),
    "kind": gettext_lazy("the way of paying"),
    "hour": gettext_lazy("the hour of the day"),
}


def explanation(alert: FraudAlert) -> str:
    """Return why an alert was raised."""
    return _SENTENCES[Rule(alert.rule)](alert.facts)


def _velocity(facts: Facts) -> str:
    words = _("%(count)s payments in %(minutes)s minutes; this customer's usual is %(usual)s.")
    return words % facts


def _new_payee(facts: Facts) -> str:
    told = {"amount": _money(facts, "amount")}
    if "largest" in facts:
        words = _(
            "%(amount)s to somebody never paid before; the largest payment until then was "
            "%(largest)s."
        )
        return words % {**told, "largest": _money(facts, "largest")}
    words = _(
        "%(amount)s to somebody never paid before: %(percent)s %% of all that was on an account "
        "that has hardly been used."
    )
    return words % {**told, "percent": facts["percent"]}


def _structuring(facts: Facts) -> str:
    words = (
        _(
            "Cash taken out %(count)s times within %(days)s days, each time just below the "
            "%(reported)s that are reported; %(total)s together."
        )
        if facts["is_out"]
        else _(
            "Cash paid in %(count)s times within %(days)s days, each time just below the "
            "%(reported)s that are reported; %(total)s together."
        )
    )
    amounts = {"reported": _money(facts, "reported"), "total": _money(facts, "total")}
    return words % {"count": facts["count"], "days": facts["days"], **amounts}


def _travel(facts: Facts) -> str:
    if "branch" in facts:
        words = ngettext(
            "Cash at %(branch)s, %(minutes)s minute after cash at %(before)s.",
            "Cash at %(branch)s, %(minutes)s minutes after cash at %(before)s.",
            facts["minutes"],
        )
        names = dict(Branch.objects.values_list("number", "name"))
        places = {
            "branch": names.get(facts["branch"], facts["branch"]),
            "before": names.get(facts["branch_before"], facts["branch_before"]),
        }
        return words % {"minutes": facts["minutes"], **places}
    if "km" in facts:
        words = _(
            "Logged in with %(device)s, %(km)s km from where %(device_before)s was %(minutes)s "
            "minutes before."
        )
    else:
        words = _(
            "Logged in with %(device)s, never used before, from elsewhere, %(minutes)s minutes "
            "after %(device_before)s."
        )
    return words % facts


def _anomaly(facts: Facts) -> str:
    parts = [f"{_FEATURES[name]} ({part} %)" for name, part in facts["parts"].items() if part]
    words = _(
        "%(amount)s, unlike all before (score %(score)s, alarm from %(alarm)s): by %(parts)s."
    )
    told = {"amount": _money(facts, "amount"), "parts": ", ".join(parts)}
    return words % {"score": facts["score"], "alarm": facts["alarm"], **told}


def _money(facts: Facts, name: str) -> str:
    return str(Money(facts[name], facts["currency"]))


_SENTENCES: Final[Mapping[Rule, Callable[[Facts], str]]] = {
    Rule.VELOCITY: _velocity,
    Rule.NEW_PAYEE: _new_payee,
    Rule.STRUCTURING: _structuring,
    Rule.TRAVEL: _travel,
    Rule.ANOMALY: _anomaly,
}
