"""The page that shows how the nodes are connected."""

import re

import pytest
from django.test import Client

from accounts.models import Role
from tests.branches import Branches
from tests.factories import person
from tests.outages import node_down
from tests.servers import TestServer

PAGE = "/staff/nodes/"


def browser(role: Role) -> Client:
    """Return a browser that somebody of this role is logged in with."""
    client = Client()
    client.force_login(person(role=role))
    return client


def states(client: Client) -> dict[str, str]:
    """Return each node's state as the page shows it."""
    page = client.get(PAGE).content.decode()
    rows = re.findall(r'<h2>\s*(\w+) .*?<span class="(up|down)">', page, re.DOTALL)
    return dict(rows)


@pytest.mark.usefixtures("branches")
class TestThePage:
    def test_shows_every_node_its_name_and_how_soon_it_answers(self) -> None:
        client = browser(Role.EMPLOYEE)
        page = client.get(PAGE).content.decode()
        assert states(client) == {"HO": "up", "MUM": "up", "DEL": "up"}
        assert "Mumbai" in page
        assert len(re.findall(r"\d+\.\d ms", page)) == 3
        assert "current" in page

    def test_shows_who_is_down_without_its_address(
        self, branches: Branches, server: TestServer
    ) -> None:
        client = browser(Role.ADMIN)
        with node_down(server, branches.delhi):
            assert states(client) == {"HO": "up", "MUM": "up", "DEL": "down"}
            assert "127.0.0.1" not in client.get(PAGE).content.decode()

    def test_shows_itself_anew_when_it_is_live(self) -> None:
        client = browser(Role.EMPLOYEE)
        assert client.get(PAGE, {"live": "1"}).headers["Refresh"] == "5"
        assert "Refresh" not in client.get(PAGE).headers

    def test_is_for_those_who_work_for_the_bank(self) -> None:
        assert browser(Role.CUSTOMER).get(PAGE).status_code == 403
        assert Client().get(PAGE).status_code == 302
