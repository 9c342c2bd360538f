"""The bank in containers, as deploy/compose.yml has it: built, started, used, restarted, stopped.

Here no image can be pulled: Debian's programs stand in for the official images under their names,
which the end says. Everything else is what an operator runs. A customer logs in through the
balancer's TLS and sends money from Mumbai to Delhi while every container is restarted once and all
nodes are backed up; afterwards the books prove, nothing is doubled or lost, the replica has it all,
and the backups are well.

``KEEP=1`` leaves the containers running.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.proofs._bank import PROJECT
from tests.proofs._compose_load import PAYEE, PAYER, Customer, Door, Load
from tests.proofs._outcome import conclude
from tests.proofs._podman import STAND_INS, Missing, Podman, engine, make_stand_ins

Found = TypeVar("Found")

IMAGE: Final = "localhost/bankproject:local"
BACKUP_IMAGE: Final = "localhost/bankproject-backup:local"
# With the 130 MB of the official base it stays below 700.
MOST_MEGABYTES: Final = 570
KILLED: Final = 137
NODES: Final = ("head-office", "branch-mumbai", "branch-delhi", "replica")
WEB: Final = ("web-1", "web-2")
BACKGROUND: Final = ("worker", "worker-long", "beat", "watch")
RESTARTED: Final = ("web-1", "lb", *BACKGROUND, "backup", "web-2", "valkey", *NODES)
PROFILES: Final = ("demo", "haproxy", "backup")


@dataclass
class Outcome:
    """What was counted, and what is not as it should be."""

    counts: dict[str, object] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def check(self, what: str, *, holds: bool) -> None:
        """Note a failure unless something holds."""
        if not holds:
            self.failures.append(what)


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="bank-compose-") as folder:
        project = Path(folder) / "bank"
        _copy_project(project)
        try:
            podman = engine(project)
            outcome.counts["stand_ins"] = ", ".join(
                _step("stand-ins", lambda: make_stand_ins(podman))
            )
            _prove(podman, outcome)
        except (Missing, RuntimeError, OSError, http.client.HTTPException) as error:
            outcome.failures.append(f"{type(error).__name__}: {error}")
    return conclude(name="compose", seed=None, counts=outcome.counts, failures=outcome.failures)


def _copy_project(project: Path) -> None:
    """Copy what is committed: an operator has nothing else."""
    project.mkdir()
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=PROJECT, check=True, capture_output=True
    )
    subprocess.run(["tar", "-x"], cwd=project, input=archive.stdout, check=True)


def _prove(podman: Podman, outcome: Outcome) -> None:
    _step(
        "image",
        lambda: _build(podman),
    )
    _judge_image(podman, outcome)
    subprocess.run([str(podman.project / "deploy/prepare.sh")], check=True)
    try:
        _start(podman, outcome)
        door = _door(podman)
        _judge_door(door, outcome)
        _judge_haproxy(podman, outcome)
        _step("backup", lambda: _start_backup(podman, outcome))
        load = _restart_under_load(podman, door, outcome)
        _judge_books(podman, load, outcome)
        _judge_backup(podman, outcome)
        _step("stop", lambda: _stop(podman, outcome))
    finally:
        if os.environ.get("KEEP") != "1":
            profiles = [word for name in PROFILES for word in ("--profile", name)]
            podman.compose(*profiles, "down", "--volumes")
            left = podman.run("ps", "--all", "--quiet").split()
            outcome.check(f"{len(left)} containers are left", holds=not left)


def _build(podman: Podman) -> None:
    file = podman.project / "deploy" / "Containerfile"
    podman.build(file, IMAGE, podman.project, calls_pip=True)
    podman.build(file, BACKUP_IMAGE, podman.project, calls_pip=True, target="backup")


def _judge_image(podman: Podman, outcome: Outcome) -> None:
    """Measure the image beside its base; look for what must not be in it."""
    known: Any = json.loads(podman.run("image", "inspect", IMAGE))[0]
    base: Any = json.loads(podman.run("image", "inspect", STAND_INS["python"]))[0]
    added = (known["Size"] - base["Size"]) / 1e6
    outcome.counts["megabytes_over_the_base"] = round(added)
    outcome.counts["megabytes_of_the_stand_in_base"] = round(base["Size"] / 1e6)
    outcome.check(f"the image adds {added:.0f} MB", holds=added < MOST_MEGABYTES)
    outcome.check("the image works as root", holds=known["Config"]["User"] == "10001:10001")
    looked = "command -v gcc make pip git; cat sbom.json"
    bill = podman.run("run", "--rm", "--network=none", IMAGE, "sh", "-c", looked)
    outcome.check("the image has tools of a build", holds=bill.startswith("{"))
    components = json.loads(bill[bill.index("{") :])["components"]
    outcome.counts["components_in_sbom"] = len(components)
    names = {one["name"] for one in components}
    outcome.check("the SBOM lacks Django or libc", holds={"django", "libc6"} <= names)


def _start(podman: Podman, outcome: Outcome) -> None:
    """Start in the order that compose.yml asks for: podman 4 waits for no health by itself."""
    began = time.monotonic()
    _up(podman, *NODES, "valkey")
    _up(podman, "open", wait=False)
    _wait_for(podman, "open")
    _up(podman, *WEB)
    _up(podman, *BACKGROUND)
    _up(podman, "lb")
    outcome.counts["seconds_to_open"] = round(time.monotonic() - began)
    _step("demo", lambda: _load_demo(podman))


def _load_demo(podman: Podman) -> None:
    podman.compose("--profile", "demo", "up", "--detach", "--no-deps", "--no-build", "demo")
    _wait_for(podman, "demo")


def _wait_for(podman: Podman, service: str) -> None:
    """Wait for a container that ends by itself.

    Raises:
        RuntimeError: it did not do what it is for, with its last words.
    """
    if podman.run("wait", _name(service), seconds=1_800).strip() != "0":
        message = f"{service}: {podman.logs(_name(service))}"
        raise RuntimeError(message)


def _up(podman: Podman, *services: str, wait: bool = True) -> None:
    podman.compose("up", "--detach", "--no-deps", "--no-build", *services)
    for service in services if wait else ():
        podman.wait_until_healthy(_name(service))


def _name(service: str) -> str:
    return f"bank_{service}_1"


def _door(podman: Podman, service: str = "lb") -> Door:
    """Return where the balancer is, by its port of this machine."""
    port = 8443 if service == "lb" else 9443
    authority = podman.project / "deploy/secrets/authority.pem"
    return Door(host="localhost", port=port, authority=authority)


def _judge_door(door: Door, outcome: Outcome) -> None:
    """Look at what a browser gets: HSTS, a page, and files that are kept for good."""
    status, page, fields = door.ask("GET", "/auth/login/")
    if status != http.HTTPStatus.OK:
        outcome.failures.append(f"the log-in page answers {status}: {page}")
        return
    outcome.check(
        "no HSTS", holds="max-age=31536000" in fields.get("Strict-Transport-Security", "")
    )
    sheet = page.decode().partition('href="/static/bank.')[2].partition('"')[0]
    status, _css, fields = door.ask("GET", f"/static/bank.{sheet}")
    outcome.check(
        "the style sheet is not kept", holds="immutable" in fields.get("Cache-Control", "")
    )


def _judge_haproxy(podman: Podman, outcome: Outcome) -> None:
    """Look at what a browser gets by the other door, once it is open."""
    podman.compose("--profile", "haproxy", "up", "--detach", "--no-deps", "--no-build", "haproxy")
    door, patience = _door(podman, "haproxy"), time.monotonic() + 60
    while not _answers(door):
        if time.monotonic() > patience:
            outcome.failures.append(f"haproxy: {podman.logs(_name('haproxy'))}")
            return
        time.sleep(0.5)
    _judge_door(door, outcome)
    outcome.counts["doors"] = 2


def _answers(door: Door) -> bool:
    try:
        return door.ask("GET", "/health")[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def _start_backup(podman: Podman, outcome: Outcome) -> None:
    """Make the key as the guide does, and let the container that backs up begin."""
    words = ["run", "--rm", "--no-deps", "-T", "backup", "sh", "-c", _CONFIGURE]
    key = podman.compose("--profile", "backup", *words)
    outcome.check("no key was made", holds="-----BEGIN PRIVATE KEY-----" in key)
    podman.compose("--profile", "backup", "up", "--detach", "--no-deps", "--no-build", "backup")
    podman.wait_until_healthy(_name("backup"))


def _judge_backup(podman: Podman, outcome: Outcome) -> None:
    """Wait until every node is backed up again after its restart, and let it tell how."""
    patience = time.monotonic() + 120
    while (found := _backups(podman))["wrong"] and time.monotonic() < patience:
        time.sleep(2)
    outcome.failures += [f"backup: {one}" for one in found["wrong"]]
    outcome.counts["nodes_backed_up"] = sum(node["bases"] > 0 for node in found["nodes"])


def _backups(podman: Podman) -> Any:
    words = ("python", "manage.py", "backup", "status", "--json")
    said = podman.inside(_name("backup"), *words, check=False)
    try:
        return json.loads(said)
    except ValueError:
        message = f"backup: {said} {podman.logs(_name('backup'))}"
        raise RuntimeError(message) from None


def _restart_under_load(podman: Podman, door: Door, outcome: Outcome) -> Load:
    payer, payee = Customer(door, PAYER), Customer(door, PAYEE)
    debit, credit = payer.account(), payee.account()
    before = _balance(payee, credit)
    load = Load(payer, debit, credit)
    load.start()
    # What an upgrade begins with.
    podman.run("start", _name("open"))
    _wait_for(podman, "open")
    slowest = 0.0
    for service in RESTARTED:
        _say(f"restarting {service}")
        began = time.monotonic()
        podman.run("restart", "--time=30", _name(service))
        podman.wait_until_healthy(_name(service))
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(3)
    load.stop()
    outcome.counts["restarted_under_load"] = len(RESTARTED)
    outcome.counts["slowest_restart_seconds"] = round(slowest)
    outcome.counts["transfers_posted"] = load.posted
    outcome.counts["answers"] = dict(load.answers)
    outcome.check(f"{len(load.unanswered)} were never answered", holds=not load.unanswered)
    outcome.check("nothing was sent", holds=load.posted > len(RESTARTED))
    got = _balance(payee, credit) - before
    outcome.check(f"{load.posted} were posted, {got} came", holds=got == load.posted)
    return load


def _balance(who: Customer, number: str) -> Decimal:
    _status, said = who.ask("GET", f"accounts/{number}")
    return Decimal(said["balance"])


def _judge_books(podman: Podman, load: Load, outcome: Outcome) -> None:
    """Prove the books, read the replica, and let the doctor look."""
    books = podman.inside(_name("web-1"), "python", "manage.py", "check_books", check=False)
    outcome.check(f"the books: {books[-500:]}", holds='"clean": true' in books)
    nodes = json.loads(podman.inside(_name("web-1"), "python", "manage.py", "nodes", "--json"))
    outcome.check(f"alarms: {nodes['alarms']}", holds=not nodes["alarms"])
    outcome.counts["nodes_up"] = sum(node["is_up"] for node in nodes["nodes"])
    outcome.check("nodes are down", holds=outcome.counts["nodes_up"] == len(NODES))
    seen = podman.inside(_name("web-1"), "python", "manage.py", "shell", "--command", _ON_REPLICA)
    outcome.check(f"the replica: {seen}", holds=int(seen.split()[-1]) >= load.posted)
    doctor = podman.inside(_name("web-1"), "python", "manage.py", "doctor", "--json", check=False)
    found = json.loads(doctor)["findings"]
    dangers = [f"{one['about']} {one['sentence']}" for one in found if one["level"] == "danger"]
    outcome.counts["doctor"] = f"{len(dangers)} dangers of {len(found)} findings"
    outcome.failures += [f"doctor: {one}" for one in dangers]


def _stop(podman: Podman, outcome: Outcome) -> None:
    """Stop everything; whoever did not end by itself was killed, which says so."""
    podman.compose("--profile", "haproxy", "--profile", "backup", "stop")
    for service in (*NODES, "valkey", *WEB, *BACKGROUND, "lb", "haproxy", "backup"):
        code = podman.inspect(_name(service))["State"]["ExitCode"]
        outcome.check(f"{service} did not end by itself", holds=code != KILLED)


_CONFIGURE: Final = "python manage.py backup configure --key /tmp/key >&2 && cat /tmp/key"
_ON_REPLICA: Final = """
from django.db import connections
cursor = connections["replica"].cursor()
cursor.execute("SELECT count(*) FROM ledger.journal")
print(cursor.fetchone()[0])
"""


def _step(what: str, work: Callable[[], Found]) -> Found:
    began = time.monotonic()
    found = work()
    _say(f"{what}: {time.monotonic() - began:.0f} s")
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
