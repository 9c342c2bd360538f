"""The demo in a bank of three nodes: some customers have their accounts at the branches."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Account, Branch, User
from tests.branches import DEL, MUM
from transactions.branches import registry
from transactions.demo.loading import load_demo
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances

pytestmark = pytest.mark.usefixtures("branches")

Report = Callable[[int, int], None]


def silent(_posted: int, _total: int) -> None:
    """Tell nobody."""


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def numbers_at(node: str) -> list[int]:
    """Return the numbers of the demo's accounts on a node."""
    numbers = Account.objects.values_list("pk", flat=True)
    return [number for number in numbers if registry.node_of(number) == node]


def test_gives_each_node_customers_with_money_and_right_books() -> None:
    load_demo(now=timezone.now(), report=silent)
    for node in registry.nodes():
        numbers = numbers_at(node)
        assert len(numbers) >= 6
        assert {one.number for one in balances(numbers, using=node)} == set(numbers)
        assert all(one.balance > 0 for one in balances(numbers[:6], using=node))
        assert not check_books(using=node).findings
    assert Branch.objects.get(code=MUM).account_set.count() == len(numbers_at(MUM))


def test_broken_off_between_nodes_is_finished_by_the_next_call() -> None:
    asked: list[int] = []

    def break_off(posted: int, total: int) -> None:
        asked.append(total)
        if numbers_at(DEL) and posted > total * 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_demo(now=timezone.now(), report=break_off)
    people = User.objects.count()
    finished = load_demo(now=timezone.now(), report=silent)
    assert 0 < finished < asked[0]
    assert load_demo(now=timezone.now(), report=silent) == 0
    assert User.objects.count() == people
    for node in registry.nodes():
        numbers = numbers_at(node)
        assert all(one.balance > 0 for one in balances(numbers[:6], using=node))
        assert not check_books(using=node).findings
