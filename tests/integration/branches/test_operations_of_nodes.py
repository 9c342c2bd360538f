"""The operation log over several nodes, one of which may be down."""

import pytest
from django.test import Client

from accounts.models import Role
from tests.branches import DEL, MUM, Branches
from tests.factories import account, person
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.outcomes import BranchDown
from transactions.chart import open_chart
from transactions.operations import OperationFilter, all_operations, operations

EVERYTHING = OperationFilter()


@pytest.fixture
def three_nodes(branches: Branches) -> Branches:
    """Give three nodes on each of which accounts were opened, in turn."""
    for number, node in ((201, MUM), (202, DEL)):
        open_chart(branch=number, currency="INR", using=node)
    account()
    open_chart(branch=201, currency="JPY", using=MUM)
    return branches


def staff() -> Client:
    """Return a browser that an employee is logged in with."""
    client = Client()
    client.force_login(person(role=Role.EMPLOYEE))
    return client


@pytest.mark.usefixtures("three_nodes")
class TestTheLog:
    def test_has_the_operations_of_all_nodes_in_one_order(self) -> None:
        page = operations(EVERYTHING, before=None, limit=1_000)
        times = [one.recorded_at for one in page.operations]
        assert {one.node for one in page.operations} == {"default", MUM, DEL}
        assert times == sorted(times, reverse=True)
        assert page.operations[0].node == MUM
        assert [one.operation_id for one in all_operations(EVERYTHING)] == [
            one.operation_id for one in page.operations
        ]

    def test_has_the_operations_of_one_node(self) -> None:
        page = operations(OperationFilter(node=DEL), before=None, limit=1_000)
        assert {one.node for one in page.operations} == {DEL}
        assert {one.account // 10**9 for one in page.operations} == {202}

    def test_goes_on_over_nodes_page_by_page(self) -> None:
        seen, before = [], None
        while True:
            page = operations(EVERYTHING, before=before, limit=7)
            seen += [one.operation_id for one in page.operations]
            before = page.older
            if before is None:
                break
        assert seen == [one.operation_id for one in all_operations(EVERYTHING)]

    def test_names_a_node_that_is_down_and_shows_the_others(
        self, branches: Branches, server: TestServer
    ) -> None:
        with node_down(server, branches.delhi):
            page = operations(EVERYTHING, before=None, limit=1_000)
            assert {one.node for one in page.operations} == {"default", MUM}
            shown = staff().get("/staff/operations/").content.decode()
        assert "DEL cannot be reached just now" in shown
        assert "MUM</div>" in shown

    def test_gives_no_file_that_lacks_a_node(self, branches: Branches, server: TestServer) -> None:
        with node_down(server, branches.delhi):
            with pytest.raises(BranchDown, match="DEL cannot be reached"):
                all_operations(EVERYTHING)
            answer = staff().get("/staff/operations.csv")
            assert answer.status_code == 503
            assert "DEL cannot be reached" in answer.content.decode()
            assert list(all_operations(OperationFilter(node=MUM)))
