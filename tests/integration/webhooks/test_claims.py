"""Many workers share what is due, and no two of them take the same."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connections

from core.clock import now
from notifications.webhooks.claims import claim_due
from notifications.webhooks.models import Delivery
from tests.integration.webhooks.conftest import Registering, listener
from tests.integration.webhooks.test_sending import happen

WORKERS = 6
DELIVERIES = 60


@pytest.mark.usefixtures("fresh_bank")
def test_what_is_due_is_taken_once_by_workers_that_come_together(register: Registering) -> None:
    owner = listener()
    register(owner)
    for _each in range(DELIVERIES):
        happen(owner)
    start = Barrier(WORKERS)

    def work() -> list[UUID]:
        taken: list[UUID] = []
        start.wait()
        try:
            while claims := claim_due(limit=5, of_each=5, busy=[], now=now()):
                taken += [claim.delivery_id for claim in claims]
        finally:
            connections.close_all()
        return taken

    with ThreadPoolExecutor(WORKERS) as pool:
        workers = [pool.submit(work) for _each in range(WORKERS)]
        taken = [one for worker in workers for one in worker.result()]
    left = Delivery.objects.filter(tries=0).count()
    assert len(taken) == len(set(taken))
    assert len(taken) + left == DELIVERIES
    assert taken
