"""Which nodes there are and where accounts live, as processes learn it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connections

from accounts.models import Branch
from accounts.numbers import account_number
from tests.branches import DEL, MUM, Branches
from tests.servers import TestServer
from transactions.branches import registry
from transactions.branches.directory import connect
from transactions.branches.models import Node

IN_HEAD_OFFICE = account_number(branch=100, serial=1)
IN_MUMBAI = account_number(branch=201, serial=1)
WITHOUT_NODE = account_number(branch=300, serial=1)


def until(true: Callable[[], bool], *, seconds: float = 2.0) -> bool:
    """Tell whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def statements(server: TestServer, urls: str) -> int:
    """Return how many transactions a database has seen."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        found = connection.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s",
            [urls.rpartition("/")[2]],
        ).fetchone()
        assert found
        return int(found[0])


class TestRegistry:
    @pytest.mark.usefixtures("fresh_bank")
    def test_of_one_database_is_a_bank_with_one_node(self) -> None:
        assert registry.nodes() == ["default"]
        assert registry.node_of(IN_MUMBAI) == "default"
        assert registry.branch_number_of("default") == 100

    @pytest.mark.usefixtures("branches")
    def test_knows_the_node_of_each_branch(self) -> None:
        assert registry.nodes() == ["default", MUM, DEL]
        assert registry.branch_number_of(DEL) == 202
        assert registry.node_of(IN_HEAD_OFFICE) == "default"
        assert registry.node_of(IN_MUMBAI) == MUM
        assert registry.node_of(WITHOUT_NODE) == "default"
        with connections[MUM].cursor() as cursor:
            cursor.execute("SELECT code, current_user FROM ledger.this_node")
            assert cursor.fetchone() == (MUM, "bank_app")

    @pytest.mark.usefixtures("branches")
    def test_refuses_an_unknown_node(self) -> None:
        with pytest.raises(registry.UnknownNode, match="no node BLR"):
            registry.branch_number_of("BLR")

    def test_asks_no_question_for_an_answer(self, branches: Branches, server: TestServer) -> None:
        registry.node_of(IN_MUMBAI)
        before = statements(server, branches.head_office.app)
        begun = time.monotonic()
        for _ in range(10_000):
            registry.node_of(IN_MUMBAI)
        assert time.monotonic() - begun < 0.5
        assert statements(server, branches.head_office.app) - before < 30

    def test_notices_a_node_that_joins(self, branches: Branches) -> None:
        with psycopg.connect(branches.head_office.app) as head_office:
            Node.objects.get(branch__code=DEL).delete()
            registry.forget()
            assert registry.nodes() == ["default", MUM]
            branch = Branch.objects.get(code=DEL)
            head_office.execute(
                "INSERT INTO transactions_node VALUES (%s, %s, now())",
                [branch.pk, branches.delhi.app],
            )
        assert until(lambda: registry.nodes() == ["default", MUM, DEL])
        with connections[DEL].cursor() as cursor:
            cursor.execute("SELECT 1")

    def test_notices_an_account_that_moves(self, branches: Branches) -> None:
        assert registry.node_of(IN_MUMBAI) == MUM
        with psycopg.connect(branches.head_office.owner) as head_office:
            head_office.execute("INSERT INTO ledger.moved VALUES (%s, %s, 1)", [IN_MUMBAI, DEL])
        assert until(lambda: registry.node_of(IN_MUMBAI) == DEL)

    def test_keeps_its_knowledge_when_the_head_office_falls_silent(
        self, branches: Branches
    ) -> None:
        assert branches
        assert registry.node_of(IN_MUMBAI) == MUM
        head_office = connections["default"].settings_dict
        port, head_office["PORT"] = head_office["PORT"], "9"
        try:
            registry.refresh()
            assert registry.node_of(IN_MUMBAI) == MUM
        finally:
            head_office["PORT"] = port

    def test_that_starts_without_a_head_office_asks_the_configured_branches(
        self, branches: Branches
    ) -> None:
        asked = (
            "import django; django.setup();"
            "from transactions.branches import registry as r;"
            f"print(r.nodes(), r.node_of({IN_MUMBAI}), r.branch_number_of('DEL'))"
        )
        done = subprocess.run(
            [sys.executable, "-c", asked],
            env={
                **os.environ,
                "DATABASE_URL": "postgresql://bank_app@127.0.0.1:9/bank",
                "BRANCH_DATABASE_URLS": f"MUM={branches.mumbai.app},DEL={branches.delhi.app}",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert "['default', 'MUM', 'DEL'] MUM 202" in done.stdout
        assert done.stderr.count("head_office_not_asked") == 1

    @pytest.mark.usefixtures("branches")
    def test_watches_anew_after_a_fork(self) -> None:
        assert registry.node_of(IN_MUMBAI) == MUM
        child = os.fork()
        if child == 0:
            seen = False
            try:
                # The first answer is read at once, the next one by the child's own watch.
                registry.nodes()
                with connect("default") as head_office:
                    head_office.execute(
                        "DELETE FROM transactions_node n USING accounts_branch b"
                        " WHERE b.id = n.branch_id AND b.code = 'DEL'"
                    )
                seen = until(lambda: registry.nodes() == ["default", MUM])
            finally:
                os._exit(0 if seen else 1)
        _pid, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
