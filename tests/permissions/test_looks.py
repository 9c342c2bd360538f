"""Every page and answer for staff alone, held against the log of who looked at whose data.

``looks.csv`` has a line for each address that answers GET to staff and not to customers. Its words:

``noted``      customer A is told of the look, which is tried here, with the ``query``
``elsewhere``  they are told, which the test that ``why`` names tries
``none``       nothing of a customer's is shown, and nobody is told: ``why`` says what is

What staff send stands in the audit with who sent it, whether anything was shown or not.
"""

import csv
from pathlib import Path
from typing import Final

from django.utils import translation

from accounts.models import Viewing
from portals.words import looked_at
from tests.permissions._routes import Route, every_route
from tests.permissions.test_table import Trial, table, trial, undone

__all__ = ["trial"]

LOOKS: Final = Path(__file__).with_name("looks.csv")
PROJECT: Final = Path(__file__).parents[2]
STAFF: Final = ("employee", "admin", "superadmin", "admin:read")


def looks() -> dict[str, dict[str, str]]:
    """Return the reviewed list, by route."""
    with LOOKS.open(encoding="utf-8", newline="") as file:
        return {line["route"]: line for line in csv.DictReader(file)}


def shown_to_staff() -> set[str]:
    """Return the routes that the table of permissions lets staff read, and customers not."""
    return {
        name
        for (name, method), line in table().items()
        if method == "GET"
        and line["customer A"] != "yes"
        and any(line[who] == "yes" for who in STAFF)
        # Django's own addresses without a name lead to those with one.
        and not name.startswith("/admin/")
    }


def seen_as(look: str, route: Route, trial: Trial, query: str) -> str:
    """Return what is wrong with a look at a route by the super admin; empty: nothing."""
    viewer, owner = trial.people["superadmin"], trial.people["customer A"]
    address = f"{route.filled(trial.belongings.ids_of(route))}?{query}"
    with undone():
        answer = trial.callers["superadmin"].send("GET", address, b"", {})
        page = answer.getvalue().decode()
        noted = list(Viewing.objects.filter(viewer=viewer).values_list("subject", "what"))
    if answer.status_code >= 400:
        return f"answered {answer.status_code}"
    told = [what for subject, what in noted if subject == owner.pk]
    if look == "noted":
        return "" if told and all(map(_has_words, told)) else f"noted as {told}"
    known = [str(owner.number), str(trial.belongings.account), str(owner.email)]
    return f"noted as {noted}, or shown" if noted or any(one in page for one in known) else ""


def _has_words(what: str) -> bool:
    """Tell whether customers read in their language what somebody looked at."""
    with translation.override("hi"):
        return not str(looked_at(what)).isascii()


def test_every_look_of_staff_at_a_customers_data_is_noted(trial: Trial) -> None:
    reviewed, routes = looks(), {route.name: route for route in every_route()}
    faults = [f"not in the list: {name}" for name in sorted(shown_to_staff() - {*reviewed})]
    faults += [f"nothing is at {name}" for name in sorted({*reviewed} - shown_to_staff())]
    for name, line in reviewed.items():
        if name in routes and line["look"] != "elsewhere":
            fault = seen_as(line["look"], routes[name], trial, line["query"])
            faults += [f"{name}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)


def test_what_need_not_be_noted_here_says_why() -> None:
    for name, line in looks().items():
        assert line["look"] in {"noted", "elsewhere", "none"}, name
        assert bool(line["why"]) == (line["look"] != "noted"), name
        if line["look"] == "elsewhere":
            file, _, test = line["why"].partition("::")
            assert f"def {test}(" in (PROJECT / file).read_text("utf-8"), name
