"""A node's servers are known by its address, and each is set up as the bank needs it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import pytest
import yaml
from django.core.management import CommandError, call_command

from bankproject.backup.servers import ROLE
from bankproject.doctor.standbys import compare
from bankproject.failover import TEMPLATE, Member, members_of, patroni_configuration
from bankproject.reference.sources import PROJECT
from bankproject.runtime.postgres import DEPLOY
from core.db import aliases
from core.db.addresses import database_settings

URL: Final = "postgresql://bank_app:secret@{}/bank?sslmode=verify-full"


@pytest.fixture(params=["a.example:5433,b.example:5434", "a.example,b.example,c.example"])
def members(request: pytest.FixtureRequest) -> Iterator[list[Member]]:
    """Give the members of a branch whose address names two or three servers."""
    url = URL.format(request.param)
    aliases.add("BOM", database_settings(url, name="BOM", allow_plaintext=False))
    yield members_of("BOM")
    aliases.remove("BOM")


class TestConfiguration:
    def test_names_each_member_and_the_standbys_it_waits_for(self, members: list[Member]) -> None:
        for number, member in enumerate(members, start=1):
            found = yaml.safe_load(patroni_configuration("BOM", number=number))
            server = found["postgresql"]
            assert (found["scope"], found["name"]) == ("bom", f"bom_{number}")
            assert server["listen"] == server["connect_address"] == member.place
            others = [other.name for other in members if other is not member]
            assert server["parameters"]["synchronized_standby_slots"] == ",".join(others)

    def test_is_strict_where_one_may_be_away(self, members: list[Member]) -> None:
        rules = yaml.safe_load(patroni_configuration("BOM", number=1))["bootstrap"]["dcs"]
        assert rules["synchronous_mode"] is True
        assert rules["synchronous_mode_strict"] is (len(members) == 3)
        assert rules["primary_start_timeout"] == 0

    def test_keeps_no_log_for_a_backup_that_nobody_may_ever_make(self) -> None:
        rules = yaml.safe_load(TEMPLATE.read_text("utf-8"))["bootstrap"]["dcs"]
        assert "slots" not in rules
        guide = (PROJECT / "docs" / "howto" / "backup.md").read_text("utf-8")
        assert f"edit-config --set slots.{ROLE}.type=physical" in guide

    def test_leaves_room_to_give_up_before_another_takes_over(self) -> None:
        rules = yaml.safe_load(TEMPLATE.read_text("utf-8"))["bootstrap"]["dcs"]
        assert rules["loop_wait"] + 2 * rules["retry_timeout"] <= rules["ttl"]
        assert rules["primary_stop_timeout"] < rules["ttl"]

    def test_says_what_primary_conf_says(self) -> None:
        lines = (DEPLOY / "primary.conf").read_text("utf-8")
        usual = dict(re.findall(r"^(\w+) = (\S+)", lines, re.MULTILINE))
        rules = yaml.safe_load(TEMPLATE.read_text("utf-8"))["bootstrap"]["dcs"]["postgresql"]
        shared = {name: str(value) for name, value in rules["parameters"].items() if name in usual}
        assert shared == {name: usual[name] for name in shared}
        assert "max_prepared_transactions" in shared

    @pytest.mark.usefixtures("members")
    def test_lets_nobody_in_without_tls(self) -> None:
        for line in yaml.safe_load(patroni_configuration("BOM", number=1))["postgresql"]["pg_hba"]:
            assert line.split()[0] in {"hostssl", "local"}

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["NONE", "--member", "1"], "the bank has no node NONE"),
            (["default", "--member", "1"], "the address of default names one server"),
        ],
    )
    def test_of_what_is_not_there_is_refused(self, words: list[str], complaint: str) -> None:
        with pytest.raises(CommandError, match=complaint):
            call_command("patroni", *words)

    @pytest.mark.parametrize("number", [0, 4])
    def test_of_a_member_that_is_not_there_is_refused(
        self, members: list[Member], number: int
    ) -> None:
        with pytest.raises(CommandError, match=f"BOM has the members 1 to {len(members)}"):
            call_command("patroni", "BOM", member=number)


class TestDoctor:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, ""),
            ({"is_standby": False}, "danger BOM has two servers that take writes, a:1 and b:2"),
            ({"cluster": 8}, "danger BOM could not fail over to b:2, a server of another cluster"),
            ({"slots": []}, "warning BOM would lose the replica's place if b:2 took over"),
            ({"is_backed_up": False}, "warning BOM would begin its backups anew if b:2 took over"),
        ],
    )
    def test_compares_a_standby_with_its_primary(
        self, changes: dict[str, Any], expected: str
    ) -> None:
        found = [self.standing(is_standby=False), self.standing(**changes)]
        assert self.told(*found).startswith(expected)
        assert bool(self.told(*found)) is bool(expected)

    def test_knows_a_node_without_a_primary(self) -> None:
        assert "no server that takes writes" in self.told(self.standing(), self.standing())

    def test_knows_a_primary_that_waits_for_nobody(self) -> None:
        lonely = self.standing(is_standby=False, waits=False)
        assert "answers before a standby has it" in self.told(lonely, self.standing())

    def standing(self, *, is_standby: bool = True, **changes: Any) -> SimpleNamespace:
        usual = {"cluster": 7, "now": datetime.now(UTC), "waits": True, "slots": ["bank_bom"]}
        return SimpleNamespace(is_standby=is_standby, **{**usual, "is_backed_up": True, **changes})

    def told(self, *standing: SimpleNamespace) -> str:
        members = [Member("bom_1", "a", "1"), Member("bom_2", "b", "2")]
        found = compare("BOM", dict(zip(members, standing, strict=True)))
        return "\n".join(f"{one.level} {one.about} {one.sentence}" for one in found)
