"""Backends come, are checked, serve, and go; each step is a version, and noted."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import DatabaseError, InternalError, connection, transaction
from django.test import Client
from pytest_django import Settings

from core.errors import DomainError
from lb.control import registry
from lb.control.addresses import check_backend_address, is_allowed
from lb.control.figures import added_up
from lb.control.joining import Membership
from lb.control.models import Backend, BackendEvent, BackendState, Policy
from lb.control.publishing import current_snapshot, write_snapshot_file
from lb.control.registry import Change
from lb.control.tending import DRAINED_AFTER, SILENT_AFTER, WARM_AFTER, Tender, is_well
from lb.snapshot import Check, State, read_snapshot
from tests.factories import instant
from tests.integration.balancing.conftest import Answering, registered

pytestmark = pytest.mark.django_db

NOW = instant()
BY = Change(now=NOW)


def tend(tender: Tender, backend: Backend, *, after: timedelta = timedelta()) -> str:
    """Let a tender look after all once, and return a backend's state."""
    tender.tend(NOW + after)
    backend.refresh_from_db()
    return backend.state


def ready(answerer: Answering, **asked: bool) -> tuple[Tender, Backend]:
    """Return a backend that takes requests, and who looks after it."""
    backend, tender = registered(answerer.port, **asked), Tender()
    for _round in range(3):
        tend(tender, backend)
    assert backend.state == BackendState.WARMING
    return tender, backend


def refusal(wrong: Callable[[], object]) -> str:
    """Return the code by which something is refused."""
    with pytest.raises(DomainError) as caught:
        wrong()
    return caught.value.code


class TestWay:
    def test_leads_from_registered_to_removed(self, answerer: Answering) -> None:
        backend, tender = registered(answerer.port), Tender()
        other = registered(answerer.port + 1)
        Backend.objects.filter(pk=other.pk).update(state=BackendState.READY)
        assert [tend(tender, backend) for _round in range(4)] == [
            "checking",
            "warming",
            "warming",
            "warming",
        ]
        assert tend(tender, backend, after=WARM_AFTER) == "ready"
        registry.drain_backend(backend.pk, by=BY)
        assert tend(tender, backend, after=DRAINED_AFTER - timedelta(seconds=1)) == "draining"
        assert tend(tender, backend, after=DRAINED_AFTER) == "removed"
        noted = BackendEvent.objects.filter(backend=backend).order_by("pk")
        assert [
            one.changes.get("state", [None, ""])[1] for one in noted if "state" in one.changes
        ] == [
            "registered",
            "checking",
            "warming",
            "ready",
            "draining",
            "removed",
        ]

    def test_does_not_begin_before_two_good_answers(self, answerer: Answering) -> None:
        answerer.status = 503
        backend, tender = registered(answerer.port), Tender()
        assert [tend(tender, backend) for _round in range(4)] == ["checking"] * 4
        answerer.status = 200
        assert [tend(tender, backend) for _round in range(2)] == ["checking", "warming"]

    def test_ends_with_the_heartbeat(self, answerer: Answering) -> None:
        tender, backend = ready(answerer, heartbeat=True)
        assert tend(tender, backend, after=SILENT_AFTER) == "ready"
        registry.beat(backend.pk, now=NOW + SILENT_AFTER)
        late = 2 * SILENT_AFTER
        assert tend(tender, backend, after=late) == "ready"
        assert tend(tender, backend, after=late + timedelta(seconds=1)) == "draining"
        assert refusal(lambda: registry.beat(backend.pk, now=NOW)) == "backend_leaving"
        assert BackendEvent.objects.latest("pk").reason == "it sent no heartbeat"

    def test_ends_when_the_address_is_no_longer_allowed(
        self, answerer: Answering, settings: Settings
    ) -> None:
        tender, backend = ready(answerer)
        settings.BACKEND_NETWORKS = []
        assert current_snapshot().backends == ()
        assert not is_well("127.0.0.1", answerer.port, Check())
        assert tend(tender, backend) == "draining"

    def test_begins_anew_for_one_that_comes_back(self, answerer: Answering) -> None:
        _tender, backend = ready(answerer)
        assert refusal(lambda: registered(answerer.port)) == "backend_exists"
        assert refusal(lambda: registered(1_999, name=backend.name)) == "backend_exists"
        registry.leave(backend.pk, by=BY)
        again = registered(answerer.port, name=backend.name)
        backend.refresh_from_db()
        assert (backend.state, again.state) == ("removed", "registered")

    def test_tells_when_health_turns(self, answerer: Answering) -> None:
        tender, backend = ready(answerer)
        answerer.status = 503
        tend(tender, backend)
        assert not BackendEvent.objects.filter(changes={"is_up": [True, False]}).exists()
        assert tend(tender, backend) == "warming"
        assert BackendEvent.objects.latest("pk").changes == {"is_up": [True, False]}


class TestWorker:
    def test_registers_itself_and_beats(self, answerer: Answering) -> None:
        worker = Membership(name="web", host="127.0.0.1", port=answerer.port)
        worker.renew(now=NOW)
        worker.renew(now=NOW + SILENT_AFTER)
        (backend,) = registry.backends()
        assert (backend.name, backend.heartbeat_at) == ("web", NOW + SILENT_AFTER)

    def test_drains_when_it_ends_and_registers_anew(self, answerer: Answering) -> None:
        worker = Membership(name="web", host="127.0.0.1", port=answerer.port)
        worker.renew(now=NOW)
        Backend.objects.update(state=BackendState.READY)
        worker.end(lambda: NOW)
        assert [one.state for one in registry.backends()] == ["draining"]
        worker.keep(lambda: NOW)
        assert [one.state for one in registry.backends()] == ["draining"]
        Membership(name="web", host="127.0.0.1", port=answerer.port).renew(now=NOW)
        assert [one.state for one in registry.backends()] == ["registered"]
        Membership(name="nobody", host="127.0.0.1", port=1_999).end(lambda: NOW)

    def test_drains_in_turn_and_ends_when_the_data_planes_know(
        self, answerer: Answering, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.BALANCER_METRICS = [f"http://127.0.0.1:{answerer.port}/metrics"]
        worker, steps = Membership(name="web", host="127.0.0.1", port=answerer.port), []
        worker.renew(now=NOW)
        Backend.objects.update(state=BackendState.READY)

        def step(_seconds: float) -> None:
            """Let another one serve, and after that let the data plane hear of the end."""
            steps.append([one.state for one in registry.backends()])
            if len(steps) == 2:
                other = registered(answerer.port + 1)
                Backend.objects.filter(pk=other.pk).update(state=BackendState.READY)
            if len(steps) == 4:
                answerer.name = f"lb_snapshot_version {registry.current_version()}\n".encode()

        answerer.name = b"lb_snapshot_version 1\n"
        # The module's clock alone: others sleep beside it.
        clock = SimpleNamespace(sleep=step, monotonic=time.monotonic)
        monkeypatch.setattr("lb.control.joining.time", clock)
        worker.end(lambda: NOW)
        assert [sorted(one) for one in steps] == [
            *(["ready"], ["ready"]),
            *(["draining", "ready"], ["draining", "ready"]),
        ]


class TestChange:
    def test_is_a_higher_version_with_who_made_it(self, answerer: Answering) -> None:
        _tender, backend = ready(answerer)
        before = current_snapshot()
        registry.change_backend(backend.pk, weight=7, zone="b", by=BY)
        registry.change_backend(backend.pk, weight=7, by=BY)
        registry.choose_policy(Policy.ROUND_ROBIN, by=BY)
        after = current_snapshot()
        assert after.version == before.version + 2
        assert (after.backends[0].weight, after.policy) == (7, "round-robin")
        assert [one.changes for one in BackendEvent.objects.all()[:2]] == [
            {"policy": ["hybrid", "round-robin"]},
            {"zone": ["", "b"], "weight": [100, 7]},
        ]

    def test_leaves_the_last_backend(self, answerer: Answering) -> None:
        _tender, backend = ready(answerer)
        assert refusal(lambda: registry.drain_backend(backend.pk, by=BY)) == "last_backend"

    def test_of_one_that_goes_or_is_not_there_is_refused(self, answerer: Answering) -> None:
        _tender, backend = ready(answerer)
        registry.leave(backend.pk, by=BY)
        change = registry.change_backend
        assert refusal(lambda: change(backend.pk, weight=1, by=BY)) == "backend_leaving"
        assert refusal(lambda: change(uuid4(), weight=1, by=BY)) == "unknown_backend"

    @pytest.mark.parametrize("statement", ["UPDATE {} SET reason = ''", "DELETE FROM {}"])
    def test_stays_noted(self, statement: str) -> None:
        registered()
        with (
            pytest.raises((InternalError, DatabaseError)),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format("lb_backendevent"))


class TestAddress:
    @pytest.mark.parametrize(
        ("host", "port", "passes"),
        [
            ("127.0.0.1", 8_001, True),
            ("127.0.0.1", 22, False),
            ("10.0.0.1", 8_001, False),
            ("169.254.169.254", 8_001, False),
            ("0.0.0.0", 8_001, False),  # noqa: S104  # an address like others here
            ("::ffff:127.0.0.1", 8_001, False),
            ("::1", 8_001, False),
        ],
    )
    def test_must_be_allowed(self, host: str, port: int, passes: bool) -> None:  # noqa: FBT001  # parametrised
        assert is_allowed(host, port) is passes

    def test_is_never_a_link_local_one(self, settings: Settings) -> None:
        settings.BACKEND_NETWORKS = [(ip_network("0.0.0.0/0"), range(1, 65_536))]
        assert is_allowed("10.0.0.1", 22)
        assert not is_allowed("169.254.169.254", 80)

    @pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "fe80::1%lo", ""])
    def test_is_an_ip_address(self, host: str) -> None:
        code = refusal(lambda: check_backend_address(host, 8_001))
        assert code in {"not_an_ip_address", "backend_address_refused"}


class TestHealthCheck:
    def test_ends_in_time_however_slowly_a_backend_answers(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            assert not is_well("127.0.0.1", port, Check(timeout_seconds=0.05))
        assert not is_well("127.0.0.1", port, Check(timeout_seconds=0.05))


class TestSnapshot:
    def test_names_who_serves_and_who_drains(self, answerer: Answering, tmp_path: Path) -> None:
        _tender, serving = ready(answerer)
        registered(answerer.port + 1)
        draining = registered(answerer.port + 2)
        Backend.objects.filter(pk=draining.pk).update(state=BackendState.DRAINING)
        write_snapshot_file(current_snapshot(), tmp_path / "snapshot.json")
        found = read_snapshot((tmp_path / "snapshot.json").read_bytes())
        assert {one.name: one.state for one in found.backends} == {
            serving.name: State.READY,
            draining.name: State.DRAINING,
        }
        assert found == current_snapshot()

    def test_is_handed_out_for_the_token_once_a_version(
        self, client: Client, settings: Settings
    ) -> None:
        address = "/internal/balancer/snapshot"
        assert client.get(address).status_code == 404
        settings.BALANCER_TOKEN = "for the data planes"
        assert client.get(address).status_code == 401
        assert client.get(address, headers={"Authorization": "Bearer é"}).status_code == 401
        known = {"Authorization": "Bearer for the data planes"}
        answer = client.get(address, headers=known)
        assert read_snapshot(answer.content) == current_snapshot()
        same = {**known, "If-None-Match": answer.headers["ETag"]}
        assert client.get(address, headers=same).status_code == 304
        registry.choose_policy(Policy.RANDOM, by=BY)
        assert client.get(address, headers=same).status_code == 200


def test_figures_of_several_processes_are_added_up() -> None:
    one = """\
lb_backend_in_flight{backend="a"} 2
lb_backend_failures_total{backend="a"} 1
lb_backend_seconds_bucket{backend="a",le="0.008"} 98
lb_backend_seconds_bucket{backend="a",le="0.064"} 100
lb_backend_seconds_bucket{backend="a",le="+Inf"} 100
lb_backend_seconds_count{backend="a"} 100
lb_panics 0
"""
    found = added_up([one, one, ""])["a"]
    assert (found.in_flight, found.failures, found.requests) == (4, 2, 200)
    assert (found.milliseconds(0.5), found.milliseconds(0.99)) == (8.0, 64.0)
