"""GET /internal/metrics: what Prometheus is told, and what becomes of it."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import Account
from bankproject.backup.repository import Repository
from core import clock
from core.refusals import count_refusal
from notifications.webhooks.models import Delivery, Endpoint, EndpointState, Event
from tests.factories import account, customer_account, inr, order, person
from tests.integration.webhooks.test_feeding import wait_for_others
from tests.servers import TestServer
from transactions.branches.marks import Mark
from transactions.closing.models import BankDay
from transactions.events import feed_events
from transactions.ledger.posting import Transfer, post

pytestmark = pytest.mark.usefixtures("fresh_bank")
PROJECT = Path(__file__).resolve().parents[2]
PLACE = "/internal/metrics"


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = "for Prometheus"


def told() -> dict[str, dict[str, float]]:
    """Return values by names of measures, and by what their labels say."""
    answer = Client().get(PLACE, headers={"Authorization": "Bearer for Prometheus"})
    assert answer.status_code == 200
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            labels = " ".join(sample.labels.values())
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


class TestMetrics:
    def test_are_told_to_whoever_knows_the_token_alone(self, settings: Settings) -> None:
        for token in ("", "for Prometheu", "für"):
            refused = Client().get(PLACE, headers={"Authorization": f"Bearer {token}"})
            assert (refused.status_code, refused.content) == (401, b"")
        settings.METRICS_TOKEN = None
        assert Client().get(PLACE).status_code == 404

    def test_follow_the_journal_and_whoever_is_told_of_it(self) -> None:
        mine, other = account(balance=1_000), account()
        wait_for_others("default")
        feed_events(node="default", now=clock.now())
        # Statistics are written down when a session ends.
        connection.close()
        assert told()["bank_untold_seconds"] == {"HO": 0.0}
        before = told()["bank_postings_total"]["HO"]
        post(Transfer(mine, other, inr(100)), order=order())
        connection.close()
        after = told()
        assert after["bank_postings_total"]["HO"] == before + 1
        assert after["bank_untold_seconds"]["HO"] > 0
        assert after["bank_node_up"] == {"HO": 1.0}
        assert after["bank_parts_unread"] == {"": 0.0}

    def test_count_refusals_by_their_codes(self) -> None:
        count_refusal("insufficient_funds")
        Client().get("/api/v1/accounts")
        Client().get("/api/v1/accounts")
        refusals = told()["bank_refusals_total"]
        assert refusals == {"insufficient_funds": 1.0, "not_authenticated": 2.0}

    def test_tell_how_long_a_webhook_is_overdue_that_somebody_wants(self) -> None:
        assert told()["bank_delivery_late_seconds"] == {"": 0.0}
        at = clock.now() - timedelta(hours=1)
        endpoint = Endpoint.objects.create(
            owner=person(), url="https://a.example/", event_types=[], secret=b"", created_at=at
        )
        event = Event.objects.create(
            id=uuid4(), owner=endpoint.owner, type="", occurred_at=at, data={}, recorded_at=at
        )
        Delivery.objects.create(event=event, endpoint=endpoint, next_attempt_at=at, created_at=at)
        assert told()["bank_delivery_late_seconds"][""] >= 3_600
        Endpoint.objects.update(state=EndpointState.DISABLED)
        assert told()["bank_delivery_late_seconds"] == {"": 0.0}

    def test_tell_of_the_last_day_that_was_closed(self) -> None:
        position = {"in_transit": {"INR": 5}}
        BankDay.objects.create(
            day=date(2026, 3, 1), begun_at=clock.now(), closed_at=clock.now(), position=position
        )
        found = told()
        end = clock.start_of(date(2026, 3, 2)).timestamp()
        assert found["bank_closed_until_timestamp_seconds"] == {"": end}
        assert found["bank_in_transit_minor_units"] == {"INR": 5.0}

    def test_of_what_answers_are_told_while_the_broker_is_down(self, settings: Settings) -> None:
        settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
        found = told()
        assert found["bank_parts_unread"] == {"": 1.0}
        assert "bank_queue_length" not in found
        assert found["bank_jobs"] == {"queued": 0.0, "running": 0.0, "dead": 0.0}

    def test_tell_when_the_bank_began_while_no_day_is_closed(self) -> None:
        assert "bank_closed_until_timestamp_seconds" not in told()
        customer_account(person())
        began = Account.objects.get().opened_at
        midnight = clock.start_of(clock.bank_day(began)).timestamp()
        assert told()["bank_closed_until_timestamp_seconds"] == {"": midnight}

    def test_tell_of_the_last_mark_where_backups_are_seen(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        assert "bank_backup_mark_timestamp_seconds" not in told()
        settings.BACKUP_FOLDER = tmp_path
        assert told()["bank_backup_mark_timestamp_seconds"] == {"": 0.0}
        at = clock.now()
        Repository(tmp_path).keep_mark(Mark(began=at, ended=at, places={}))
        assert told()["bank_backup_mark_timestamp_seconds"] == {"": at.timestamp()}

    def test_count_the_servers_of_a_node_that_take_writes(self, server: TestServer) -> None:
        before = connection.settings_dict
        here = f"127.0.0.1:{server.cluster.port}"
        for places, primaries in ((f"{here},127.0.0.1:9", 1.0), (f"{here},{here}", 2.0)):
            hosts, ports = zip(*(place.split(":") for place in places.split(",")), strict=True)
            connection.close()
            connection.settings_dict = {**before, "HOST": ",".join(hosts), "PORT": ",".join(ports)}
            try:
                assert told()["bank_node_primaries"] == {"HO": primaries}
            finally:
                connection.close()
                connection.settings_dict = before


class TestWatching:
    def test_alerts_and_pictures_are_of_what_is_told(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.BACKUP_FOLDER = tmp_path
        BankDay.objects.create(
            day=date(2026, 3, 1),
            begun_at=clock.now(),
            closed_at=clock.now(),
            position={"in_transit": {"INR": 0}},
        )
        count_refusal("insufficient_funds")
        used = re.findall(r"\bbank_\w+", " ".join([*_expressions(), *_of_pictures()]))
        # Nobody copies, watches or backs up this bank; it has no standbys, and one node.
        missing = {
            *("bank_replica_lag_seconds", "bank_sweep_timestamp_seconds"),
            *("bank_backup_received", "bank_node_primaries", "bank_in_transit_now_minor_units"),
        }
        assert set(used) - told().keys() == missing
        assert len(set(used)) > 10

    def test_alerts_can_fire_in_a_bank_to_which_nothing_has_happened(self) -> None:
        customer_account(person())
        measured = set(told())
        blind = {
            rule["alert"]: lacking
            for rule in _rules()
            if (lacking := set(re.findall(r"\bbank_\w+", _unguarded(rule["expr"]))) - measured)
        }
        # What there is not cannot fail: a refusal, a closed day, a transfer between nodes, a copy,
        # a standby, a backup.
        assert blind == {
            "RefusalsUnusual": {"bank_refusals_total"},
            "MoneyInTransit": {"bank_in_transit_minor_units"},
            "MoneyStranded": {"bank_in_transit_now_minor_units"},
            "ReplicaBehind": {"bank_replica_lag_seconds"},
            "NoPrimary": {"bank_node_primaries"},
            "TwoPrimaries": {"bank_node_primaries"},
            "BackupStopped": {"bank_backup_received"},
            "MarksStopped": {"bank_backup_mark_timestamp_seconds"},
        }

    def test_every_alert_says_what_to_do(self) -> None:
        runbooks = (PROJECT / "docs/howto/runbooks.md").read_text(encoding="utf-8")
        headings = set(re.findall(r"^## (\w+)$", runbooks, re.MULTILINE))
        alerts = {rule["alert"]: rule for rule in _rules()}
        assert alerts.keys() == headings
        for name, rule in alerts.items():
            assert rule["annotations"]["runbook"].endswith(f"runbooks.html#{name.lower()}")
            assert rule["labels"]["severity"] in {"page", "ticket"}


def _rules() -> list[dict[str, Any]]:
    found = yaml.safe_load((PROJECT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def _unguarded(expression: str) -> str:
    """Return an expression without what it knows to do without."""
    for known in re.findall(r"\babsent\((\w+)", expression):
        expression = expression.replace(known, "")
    return re.sub(r"\bunless\b.*", "", expression)


def _expressions() -> list[str]:
    return [rule["expr"] for rule in _rules()]


def _of_pictures() -> list[str]:
    board = json.loads((PROJECT / "deploy/grafana/bank.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
