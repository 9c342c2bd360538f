"""`manage.py nodes`: how every node is, and that a silent one keeps nobody waiting."""

import json
import os
import socket
import time
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from tests.branches import DEL, MUM, Branches
from transactions.branches.recovery import sweep


def shown() -> dict[str, Any]:
    """Return what the command tells programs, by node."""
    out = StringIO()
    call_command("nodes", json=True, stdout=out)
    return {node["node"]: node for node in json.loads(out.getvalue())["nodes"]}


class TestNodes:
    @pytest.mark.usefixtures("branches")
    def test_are_shown_with_release_schema_and_sweep(self) -> None:
        assert shown()[MUM]["swept_at"] is None
        sweep()
        nodes = shown()
        assert list(nodes) == ["default", MUM, DEL]
        assert nodes["default"]["code"] == "HO"
        assert nodes[MUM]["name"] == "Mumbai"
        assert {node["is_up"] for node in nodes.values()} == {True}
        assert {node["schema"] for node in nodes.values()} == {"current"}
        assert nodes[DEL]["version"].startswith("18")
        assert nodes[DEL]["prepared_slots_max"] == 100
        assert nodes[MUM]["swept_at"] is not None

    def test_count_what_is_prepared(self, branches: Branches) -> None:
        with psycopg.connect(branches.delhi.app, autocommit=True) as node:
            node.execute("BEGIN")
            node.execute("SELECT 1")
            node.execute("PREPARE TRANSACTION 'not of the bank'")
            time.sleep(0.2)
            found = shown()
            node.execute("ROLLBACK PREPARED 'not of the bank'")
        assert found[DEL]["prepared"] == 1
        assert found[DEL]["oldest_prepared_seconds"] >= 0.2
        assert found[DEL]["prepared_slots_used"] >= 1
        assert found[MUM]["prepared"] == 0

    def test_that_differ_from_the_code_are_told(self, branches: Branches) -> None:
        with psycopg.connect(branches.delhi.owner) as node:
            node.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        with psycopg.connect(branches.mumbai.owner) as node:
            node.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('transactions', '9999_next', now())"
            )
        found = shown()
        assert (found[DEL]["schema"], found[MUM]["schema"]) == ("older", "newer")

    def test_that_are_silent_are_down_and_keep_nobody_waiting(self, branches: Branches) -> None:
        assert branches
        delhi = connections[DEL].settings_dict
        port = delhi["PORT"]
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            delhi["PORT"] = str(deaf.getsockname()[1])
            begun = time.monotonic()
            try:
                found = shown()
            finally:
                delhi["PORT"] = port
            assert time.monotonic() - begun < 4
        assert found[MUM]["is_up"]
        assert not found[DEL]["is_up"]
        assert "timeout" in found[DEL]["reason"]

    @pytest.mark.usefixtures("branches")
    def test_are_a_table_for_people(self) -> None:
        out = StringIO()
        call_command("nodes", stdout=out)
        assert "MUM Mumbai" in out.getvalue()
        assert os.environ["DATABASE_URL"] not in out.getvalue()
