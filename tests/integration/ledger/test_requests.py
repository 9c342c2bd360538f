"""Idempotency keys are kept long enough, and not for ever."""

from datetime import timedelta

import psycopg
import pytest
from celery import current_app
from django.conf import settings
from django.db import connection

from core.clock import now
from tests.branches import MUM, Branches
from tests.factories import account, inr, order
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.registry import nodes
from transactions.ledger.posting import Transfer, post
from transactions.tasks import forget_requests


@pytest.mark.usefixtures("fresh_bank")
@pytest.mark.parametrize(("days", "forgotten"), [(89, 0), (91, 1)])
def test_a_key_is_forgotten_after_90_days(days: int, forgotten: int, server: TestServer) -> None:
    payer, payee = account(balance=1_000), account()
    post(Transfer(payer, payee, inr(10)), order=order(client=7, key="old"))
    post(Transfer(payer, payee, inr(10)), order=order(client=7, key="new"))
    inside = server.superuser_url(str(connection.settings_dict["NAME"]))
    with psycopg.connect(inside) as superuser:
        superuser.execute(
            "UPDATE ledger.request SET requested_at = %s WHERE key = 'old'",
            [now() - timedelta(days=days)],
        )
    assert forget_requests() == forgotten
    assert post(Transfer(payer, payee, inr(10)), order=order(client=7, key="new")).replayed
    again = post(Transfer(payer, payee, inr(10)), order=order(client=7, key="old"))
    assert again.replayed == (not forgotten)


def test_keys_are_forgotten_on_every_node_that_answers(
    branches: Branches, server: TestServer, capfd: pytest.CaptureFixture[str]
) -> None:
    for node in nodes():
        with psycopg.connect(server.superuser_url(branches.of(node).app.rpartition("/")[2])) as one:
            one.execute(
                "INSERT INTO ledger.request (client, key, hash, result_id, requested_at)"
                " VALUES (7, 'old', '', gen_random_uuid(), now() - interval '91 days')"
            )
    with node_down(server, branches.mumbai):
        capfd.readouterr()
        assert forget_requests() == 2
    (complaint,) = (
        line for line in capfd.readouterr().err.splitlines() if "requests_not_forgotten" in line
    )
    assert MUM in complaint
    assert forget_requests() == 1


def test_the_worker_knows_what_beat_sends() -> None:
    current_app.loader.import_default_modules()
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert sent <= set(current_app.tasks)
