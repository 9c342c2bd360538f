"""What `make run` runs: web workers at places of their own, behind the balancer that LB names."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from bankproject.runtime import backend
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home
from bankproject.runtime.places import places_of
from bankproject.runtime.planning import make_plan, prepare_servers
from bankproject.runtime.programs import WEB_WORKERS, Plan
from lb.snapshot import read_snapshot

_SERVERS = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "REPLICA_DATABASE_URL")
_OTHERS = ("BRANCH_DATABASE_URLS", "REPLICATION_DATABASE_URL", "TRUSTED_PROXY_COUNT", "LB")

Planned = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Return what plans a bank with these settings of the environment and no others."""

    def plan(**environment: str) -> Plan:
        for name in (*_SERVERS, *_OTHERS):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        home = Home(folder=tmp_path)
        home.open()
        return make_plan(home, host="127.0.0.1", port=8_000)

    return plan


def _commands(plan: Plan) -> dict[str, list[str]]:
    return {one.name: one.command for one in plan.programs()}


def test_people_reach_the_balancer_and_it_alone_knows_the_workers_secret(planned: Planned) -> None:
    plan = planned()
    balancing, commands = plan.balancing, _commands(plan)
    assert balancing is not None
    assert {"lb.data", "--listen=127.0.0.1:8000"} <= {*commands["balancer"]}
    binds = [one.removeprefix("--bind=") for one in commands["web"] if one.startswith("--bind")]
    assert binds == plan.settings["BACKEND_NETWORKS"].split(",")
    assert len({*binds, "127.0.0.1:8000"}) == WEB_WORKERS + 1
    assert plan.settings["TRUSTED_PROXY_COUNT"] == "1"
    told = [one.name for one in plan.programs() if balancing.secret in str(one.environment)]
    assert told == ["web", "balancer"]
    assert balancing.secret not in str([*commands.values(), plan.nodes(), balancing])


def test_backups_are_kept_where_a_folder_is_given_and_nobody_else_may_make_them(
    planned: Planned,
) -> None:
    assert "backup" not in _commands(planned())
    plan = planned(BACKUP_FOLDER="/backups")
    assert _commands(plan)["backup"][1:] == ["manage.py", "backup", "keep"]
    told = [one.name for one in plan.programs() if "BACKUP_DATABASE_URL" in one.environment]
    assert told == ["opening", "backup"]
    assert plan.nodes()["BACKUP_FOLDER"] == "/backups"


def test_people_are_told_where_their_pages_are(planned: Planned) -> None:
    told = places_of(planned())
    assert told["admin pages"] == "http://localhost:8000/admin/"
    assert told["Outbox (demo)"] == "http://localhost:8000/outbox/"
    for place in told.values():
        resolve(urlsplit(place).path)


def test_the_outbox_is_a_folder_where_its_page_is_not_shown(planned: Planned) -> None:
    plan = planned(PUBLIC_URL="https://bank.example")
    told = places_of(plan)
    assert told["staff pages"] == "https://bank.example/staff/"
    assert told["Outbox (demo)"] == str(plan.home.folder / "outbox")
    assert "Outbox (demo)" not in places_of(planned(BANK_DEMO="0"))


def test_the_balancer_knows_the_workers_before_they_have_registered(planned: Planned) -> None:
    plan = planned()
    assert plan.balancing is not None
    prepare_servers(Plan(**{**plan.__dict__, "clusters": {}, "valkey": None}))
    found = read_snapshot(plan.balancing.snapshot.read_bytes())
    assert [f"{one.host}:{one.port}" for one in found.backends] == plan.balancing.bound
    assert [one.name for one in found.backends] == ["web-1", "web-2", "web-3"]
    assert (found.version, found.check.host) == (1, "localhost:8000")


@pytest.mark.parametrize("given", [{"LB": "none"}, {"TRUSTED_PROXY_COUNT": "1"}])
def test_without_one_people_reach_the_web_workers(planned: Planned, given: dict[str, str]) -> None:
    plan = planned(**given)
    commands = _commands(plan)
    assert plan.balancing is None
    assert "balancer" not in commands
    assert "--bind=127.0.0.1:8000" in commands["web"]
    assert plan.settings.get("TRUSTED_PROXY_COUNT") == given.get("TRUSTED_PROXY_COUNT")


def test_a_bank_on_shared_servers_has_none_unless_it_is_asked_for(planned: Planned) -> None:
    address = "postgresql://bank_app@localhost/bank"
    shared = {
        "DATABASE_URL": address,
        "OWNER_DATABASE_URL": address,
        "REDIS_URL": "redis://localhost",
    }
    assert planned(**shared).balancing is None
    assert planned(**shared, LB="embedded").balancing is not None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"LB": "nginx"}, "LB must be embedded, haproxy or none, not 'nginx'"),
        ({"LB": "embedded", "TRUSTED_PROXY_COUNT": "1"}, "must be the first"),
        ({"LB": "haproxy", "PATH": "/nowhere"}, "needs the program haproxy"),
    ],
)
def test_what_cannot_be_is_refused(planned: Planned, given: dict[str, str], reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        planned(**given)


def test_a_worker_takes_the_place_of_the_one_that_died() -> None:
    server, numbers = SimpleNamespace(LISTENERS=["first", "second"], WORKERS={}), count()

    def spawn() -> Any:
        worker = SimpleNamespace()
        backend.pre_fork(server, worker)
        backend.post_fork(server, worker)
        server.WORKERS[next(numbers)] = worker
        return worker

    assert [spawn().sockets for _ in range(2)] == [["first"], ["second"]]
    del server.WORKERS[0]
    assert spawn().sockets == ["first"]
    # A reload makes new ones before the old ones end.
    assert Counter(spawn().sockets[0] for _ in range(2)) == {"first": 1, "second": 1}
