"""The operation log as the replica has it: what the nodes have, each row with its node."""

import pytest

from bankproject.runtime.postgres import BankUrls
from core.db.reading import positions_now, reading
from tests.integration.replica.bank import NODES, customer
from tests.integration.replica.conftest import eventually
from tests.integration.replica.test_routing import beat
from transactions.operations import Operation, OperationFilter, all_operations, operations

EVERYTHING = OperationFilter()


@pytest.fixture
def accounts(replicated: BankUrls) -> dict[str, int]:
    """Open an account on each node of a bank with a replica."""
    assert replicated
    return {node: customer(node) for node in NODES}


def told(wanted: OperationFilter) -> list[tuple[object, ...]]:
    """Return what the log says, all of it."""
    return [_line(one) for one in all_operations(wanted)]


def told_by_replica(wanted: OperationFilter) -> list[tuple[object, ...]]:
    """Return what the log says when it is read on the replica, as soon as that has everything."""
    positions = positions_now(set(NODES))
    found: list[tuple[object, ...]] = []

    def is_read() -> bool:
        beat()
        with reading(may_use_replica=True, positions=positions) as current:
            found[:] = [_line(one) for one in operations(wanted, before=None, limit=999).operations]
            assert found == [_line(one) for one in all_operations(wanted)]
            return current.as_of is not None

    assert eventually(is_read)
    return found


def _line(one: Operation) -> tuple[object, ...]:
    return one.operation_id, one.node, one.what, one.account, one.words, one.recorded_at


def test_the_replica_tells_what_the_nodes_tell(accounts: dict[str, int]) -> None:
    found = told(EVERYTHING)
    assert {node for _id, node, *_rest in found} == set(NODES)
    assert told_by_replica(EVERYTHING) == found
    for node, number in accounts.items():
        of_node = told_by_replica(OperationFilter(node=node))
        assert {line[1] for line in of_node} == {node}
        deposits = OperationFilter(node=node, account=number, what="deposit")
        assert len(told_by_replica(deposits)) == 1
