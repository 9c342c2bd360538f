"""Where people find what a bank on this machine has for them."""

from typing import Final
from urllib.parse import urlsplit

from bankproject import env
from bankproject.runtime.programs import Plan
from core.plaintext import is_here

PAGES: Final = {
    "staff pages": "/staff/",
    "admin pages": "/admin/",
    "API pages": "/api/v1/docs/",
}
OUTBOX: Final = "/outbox/"


def places_of(plan: Plan) -> dict[str, str]:
    """Return the addresses of the pages that are not everybody's, by what they are called.

    The outbox is a demo's only. Its page is shown on this machine alone: where people come by
    another name, its folder is told.
    """
    address = plan.settings["PUBLIC_URL"]
    found = {name: f"{address}{path}" for name, path in PAGES.items()}
    if plan.settings["BANK_DEMO"].lower() in env.YES:
        shown = is_here(urlsplit(address).hostname or "")
        found["Outbox (demo)"] = f"{address}{OUTBOX}" if shown else str(plan.home.outbox)
    return found
