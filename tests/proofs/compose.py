"""The bank in containers, as deploy/compose.yml has it: built, started, used, restarted, stopped.

Here no image can be pulled: Debian's programs stand in for the official images under their names,
and podman-compose for docker compose, which the end says. Everything else is what an operator runs:
`deploy/up` starts the bank. Customers log in at both doors, by TLS, and send money from Mumbai to
Delhi while `deploy/up` brings all to another image, every container is restarted once, and all
nodes are backed up; afterwards the books prove, nothing is doubled or lost, the replica has it
all and shows it to staff, and the backups are well.

``KEEP=1`` leaves the containers running.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.proofs._bank import PROJECT
from tests.proofs._compose_books import judge_books
from tests.proofs._compose_image import judge_images
from tests.proofs._compose_load import PAIRS, Customer, Door, Load
from tests.proofs._docker import BACKUP_IMAGE, IMAGE, install, name_of
from tests.proofs._outcome import Outcome, conclude
from tests.proofs._podman import Missing, Podman, engine, make_stand_ins

Found = TypeVar("Found")

KILLED: Final = 137
NODES: Final = ("head-office", "branch-mumbai", "branch-delhi", "replica")
WEB: Final = ("web-1", "web-2")
BACKGROUND: Final = ("worker", "worker-long", "beat", "watch")
RESTARTED: Final = ("web-1", "lb", *BACKGROUND, "backup", "web-2", "haproxy", "valkey", *NODES)
PROFILES: Final = ("demo", "haproxy", "backup")
METRICS: Final = "/internal/metrics"
DOORS: Final = {"lb": 8443, "haproxy": 9443}


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="bank-compose-") as folder:
        project = Path(folder) / "bank"
        _copy_project(project)
        try:
            podman = engine(project)
            outcome.counts["stand_ins"] = ", ".join(
                [*_step("stand-ins", lambda: make_stand_ins(podman)), "docker compose"]
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
    install(podman)
    for image in (IMAGE, BACKUP_IMAGE):
        podman.run("rmi", "--force", image, check=False)
    try:
        _step("deploy/up", lambda: podman.deploy(*_profiles("demo", "haproxy")))
        podman.wait_until_done(name_of("demo"))
        judge_images(podman, outcome)
        doors = {name: _door(podman, name) for name in DOORS}
        for door in doors.values():
            _judge_door(door, outcome)
        outcome.counts["doors"] = len(doors)
        _judge_metrics(podman, doors["lb"], outcome)
        _configure_backup(podman, outcome)
        _pay_meanwhile(podman, doors, outcome)
        _judge_backup(podman, outcome)
        _step("stop", lambda: _stop(podman, outcome))
    finally:
        if os.environ.get("KEEP") != "1":
            podman.compose(*_profiles(*PROFILES), "down", "--volumes")
            left = podman.run("ps", "--all", "--quiet").split()
            outcome.check(f"{len(left)} containers are left", holds=not left)


def _profiles(*names: str) -> list[str]:
    return [word for name in names for word in ("--profile", name)]


def _door(podman: Podman, service: str) -> Door:
    """Return where a door is, by its port of this machine."""
    authority = podman.project / "deploy/secrets/authority.pem"
    return Door(host="localhost", port=DOORS[service], authority=authority)


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


def _judge_metrics(podman: Podman, door: Door, outcome: Outcome) -> None:
    """Ask as Prometheus does, by the token that was made for it, and without."""
    token = (podman.project / "deploy/secrets/metrics").read_text(encoding="ascii").strip()
    status, said, _fields = door.ask("GET", METRICS, Authorization=f"Bearer {token}")
    told = status == http.HTTPStatus.OK and b"bank_node_up" in said
    outcome.check(f"metrics: {status} {said[:200]}", holds=told)
    status, _said, _fields = door.ask("GET", METRICS)
    outcome.check(f"metrics without a token: {status}", holds=status != http.HTTPStatus.OK)


def _configure_backup(podman: Podman, outcome: Outcome) -> None:
    """Make the key of backups as the guide does."""
    words = ["run", "--rm", "--no-deps", "-T", "backup", "sh", "-c", _CONFIGURE]
    key = podman.compose(*_profiles("backup"), *words)
    outcome.check("no key was made", holds="-----BEGIN PRIVATE KEY-----" in key)


def _judge_backup(podman: Podman, outcome: Outcome) -> None:
    """Wait until every node is backed up again after its restart, and let it tell how."""
    patience = time.monotonic() + 120
    while (found := _backups(podman))["wrong"] and time.monotonic() < patience:
        time.sleep(2)
    outcome.failures += [f"backup: {one}" for one in found["wrong"]]
    outcome.counts["nodes_backed_up"] = sum(node["bases"] > 0 for node in found["nodes"])


def _backups(podman: Podman) -> Any:
    words = ("python", "manage.py", "backup", "status", "--json")
    said = podman.inside(name_of("backup"), *words, check=False)
    try:
        return json.loads(said)
    except ValueError:
        message = f"backup: {said} {podman.logs(name_of('backup'))}"
        raise RuntimeError(message) from None


def _pay_meanwhile(podman: Podman, doors: Mapping[str, Door], outcome: Outcome) -> None:
    """Upgrade the bank, and restart each container, while people pay at both doors."""
    loads = {}
    for name, door in doors.items():
        payer, payee = (Customer(door, who) for who in PAIRS[name])
        loads[name] = Load(payer, payee)
    for load in loads.values():
        load.start()
    _step("deploy/up again", lambda: _upgrade(podman, loads, outcome))
    _step("restarts", lambda: _restart(podman, outcome))
    for name, load in loads.items():
        load.stop()
        outcome.counts[f"transfers_posted_at_{name}"] = len(load.ids)
        outcome.counts[f"answers_at_{name}"] = dict(load.answers)
        outcome.failures += [f"{name}: {fault}" for fault in load.faults()]
        outcome.check(f"{name}: nothing was sent", holds=len(load.ids) > len(RESTARTED))
    judge_books(podman, doors["lb"], loads["lb"].ids[-1], outcome)


def _upgrade(podman: Podman, loads: Mapping[str, Load], outcome: Outcome) -> None:
    """Bring all of the bank to another image: who pays at a door that stays notices nothing."""
    before = {name: load.answers.copy() for name, load in loads.items()}
    podman.deploy(*_profiles(*PROFILES))
    for name, load in loads.items():
        answers = load.answers - before[name]
        outcome.counts[f"answers_at_{name}_of_the_upgrade"] = dict(answers)
        outcome.counts[f"slowest_at_{name}_of_the_upgrade"] = round(load.slowest, 1)
        # The bank's own door is the image's, and away for a moment.
        wrong = [one for one in answers if one != "201" and (name != "lb" or one[0].isdigit())]
        outcome.check(f"the upgrade made {name} answer {wrong}", holds=not wrong)
    newest = podman.image(IMAGE)["Id"]
    for service in (*WEB, *BACKGROUND, "lb"):
        is_new = podman.inspect(name_of(service))["Image"] == newest
        outcome.check(f"{service} was not upgraded", holds=is_new)


def _restart(podman: Podman, outcome: Outcome) -> None:
    slowest = 0.0
    for service in RESTARTED:
        _say(f"restarting {service}")
        began = time.monotonic()
        podman.run("restart", "--time=30", name_of(service))
        podman.wait_until_healthy(name_of(service))
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(3)
    outcome.counts["restarted_under_load"] = len(RESTARTED)
    outcome.counts["slowest_restart_seconds"] = round(slowest)


def _stop(podman: Podman, outcome: Outcome) -> None:
    """Stop everything; whoever did not end by itself was killed, which says so."""
    podman.compose(*_profiles("haproxy", "backup"), "stop")
    for service in (*NODES, "valkey", *WEB, *BACKGROUND, "lb", "haproxy", "backup"):
        code = podman.inspect(name_of(service))["State"]["ExitCode"]
        outcome.check(f"{service} did not end by itself", holds=code != KILLED)


_CONFIGURE: Final = "python manage.py backup configure --key /tmp/key >&2 && cat /tmp/key"


def _step(what: str, work: Callable[[], Found]) -> Found:
    began = time.monotonic()
    found = work()
    _say(f"{what}: {time.monotonic() - began:.0f} s")
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
