"""What the bank in containers has booked: the books, the replica, a page of staff, the doctor."""

import json
import re
import ssl
import time
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, build_opener

from tests.proofs._compose_load import Door
from tests.proofs._docker import name_of
from tests.proofs._outcome import Outcome
from tests.proofs._podman import Podman
from tests.restarting import PASSWORD

EMPLOYEE: Final = "meera.joshi@demo.example"
_PATIENCE: Final = 120.0
_COUNTS: Final = """
import json
from django.db import connections
from core.db.aliases import REPLICA, primaries
def count(alias):
    cursor = connections[alias].cursor()
    cursor.execute("SELECT count(*) FROM ledger.journal")
    return cursor.fetchone()[0]
print(json.dumps({"nodes": sum(map(count, primaries())), "replica": count(REPLICA)}))
"""


def judge_books(podman: Podman, door: Door, transfer: str, outcome: Outcome) -> None:
    """Prove the books, compare the replica, show an employee a transfer, ask the doctor."""
    books = _manage(podman, "check_books")
    outcome.check(f"the books: {books[-500:]}", holds='"clean": true' in books)
    nodes = json.loads(_manage(podman, "nodes", "--json"))
    outcome.check(f"alarms: {nodes['alarms']}", holds=not nodes["alarms"])
    outcome.counts["nodes_up"] = sum(node["is_up"] for node in nodes["nodes"])
    down = [node for node in nodes["nodes"] if not node["is_up"]]
    outcome.check(f"nodes are down: {down}", holds=not down)
    _judge_replica(podman, outcome)
    address, page = staff_page(door, f"/staff/?q={transfer}")
    holds = address.endswith(f"/{transfer}/") and transfer in page
    outcome.check(f"an employee sees {address}: {page[:300]}", holds=holds)
    _ask_doctor(podman, outcome)


def _judge_replica(podman: Podman, outcome: Outcome) -> None:
    """Wait until the replica's journal has as many rows as those of all nodes together."""
    patience = time.monotonic() + _PATIENCE
    while (seen := _counts(podman))["replica"] != seen["nodes"] and time.monotonic() < patience:
        time.sleep(1)
    outcome.counts["rows_on_the_replica"] = seen["replica"]
    outcome.check(f"journals: {seen}", holds=0 < seen["nodes"] == seen["replica"])


def _counts(podman: Podman) -> dict[str, int]:
    last = _manage(podman, "shell", "--command", _COUNTS).splitlines()[-1]
    found: dict[str, int] = json.loads(last)
    return found


def _ask_doctor(podman: Podman, outcome: Outcome) -> None:
    found = json.loads(_manage(podman, "doctor", "--json"))["findings"]
    dangers = [f"{one['about']} {one['sentence']}" for one in found if one["level"] == "danger"]
    outcome.counts["doctor"] = f"{len(dangers)} dangers of {len(found)} findings"
    outcome.failures += [f"doctor: {one}" for one in dangers]


def _manage(podman: Podman, *words: str) -> str:
    return podman.inside(name_of("web-1"), "python", "manage.py", *words, check=False)


def staff_page(door: Door, path: str) -> tuple[str, str]:
    """Log an employee in as a browser does; return the address of the page they come to, and it.

    Raises:
        OSError: the bank does not answer, or not well.
    """
    context = ssl.create_default_context(cafile=door.authority)
    browser = build_opener(HTTPSHandler(context=context), HTTPCookieProcessor())
    bank = f"https://{door.host}:{door.port}"
    browser.addheaders = [("Referer", f"{bank}/")]
    with browser.open(f"{bank}/auth/login/") as page:
        token: Any = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    words = {"csrfmiddlewaretoken": token[1], "login": EMPLOYEE, "password": PASSWORD}
    browser.open(f"{bank}/auth/login/", urlencode(words).encode()).close()
    with browser.open(f"{bank}{path}") as page:
        return page.geturl(), page.read().decode()
