"""Databases that a process learns of while it runs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

from core.db import aliases

ADDRESS = {"ENGINE": "django.db.backends.postgresql", "NAME": "bank", "HOST": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    yield
    aliases.remove("MUM")


class TestAlias:
    def test_that_is_added_is_known_to_every_thread(self) -> None:
        with ThreadPoolExecutor(1) as other:
            assert other.submit(lambda: "MUM" in connections.settings).result() is False
            aliases.add("MUM", ADDRESS)
            assert other.submit(lambda: connections["MUM"].settings_dict["NAME"]).result() == "bank"
        assert connections["MUM"].alias == "MUM"
        assert connections["MUM"].settings_dict["AUTOCOMMIT"] is True
        assert aliases.primaries() == ["default", "MUM"]

    def test_that_is_added_again_has_its_new_address(self) -> None:
        aliases.add("MUM", ADDRESS)
        aliases.add("MUM", {**ADDRESS, "NAME": "moved"})
        assert connections["MUM"].settings_dict["NAME"] == "moved"

    def test_that_is_removed_is_unknown(self) -> None:
        aliases.add("MUM", ADDRESS)
        assert connections["MUM"]
        aliases.remove("MUM")
        with pytest.raises(ConnectionDoesNotExist):
            connections["MUM"]
        assert aliases.primaries() == ["default"]

    def test_of_the_replica_takes_no_writes(self) -> None:
        aliases.add("replica", ADDRESS)
        try:
            assert aliases.primaries() == ["default"]
        finally:
            aliases.remove("replica")

    def test_may_be_added_while_another_thread_goes_through_all(self) -> None:
        going = iter(connections)
        next(going)
        aliases.add("MUM", ADDRESS)
        assert list(going) == []
