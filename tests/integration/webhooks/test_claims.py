"""Many workers share what is due, and no two of them take the same."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connections, transaction

from core.clock import now
from notifications.webhooks.claims import claim_due
from tests.integration.webhooks.conftest import Registering, happen, listener


def take(limit: int) -> set[UUID]:
    return {
        claim.delivery_id for claim in claim_due(limit=limit, of_each=limit, busy=[], now=now())
    }


def take_elsewhere() -> set[UUID]:
    try:
        return take(99)
    finally:
        connections.close_all()


@pytest.mark.usefixtures("fresh_bank")
def test_nobody_waits_for_or_takes_what_another_is_taking(register: Registering) -> None:
    owner = listener()
    register(owner)
    for _each in range(5):
        happen(owner)
    with ThreadPoolExecutor(1) as elsewhere, transaction.atomic():
        mine = take(2)
        theirs = elsewhere.submit(take_elsewhere).result()
    assert (len(mine), len(theirs)) == (2, 3)
    assert mine.isdisjoint(theirs)
    assert take(99) == set()
