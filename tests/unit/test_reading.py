"""From where a request reads, and the tokens by which it knows what it must not be older than."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.core.signing import TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core.db import aliases, reading
from core.db.reading import Copy, source
from core.read_routing import (
    HEADER,
    InvalidToken,
    ReadRoutingMiddleware,
    positions_of,
    token_of,
)

HEARD_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
FRESH = Copy(is_whole=True, position=1_000, heard_at=HEARD_AT, lag=0.2)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Copy]]:
    """Pretend a replica with a fresh copy of the only node."""
    known = {aliases.HEAD_OFFICE: FRESH}
    monkeypatch.setattr(reading, "_copies", lambda: known)
    aliases.add(aliases.REPLICA, {"ENGINE": "django.db.backends.postgresql", "NAME": "none"})
    yield known
    aliases.remove(aliases.REPLICA)


def source_of(positions: Mapping[str, int] | None = None, *, may: bool = True) -> str | None:
    with reading.reading(may_use_replica=may, positions=positions or {}):
        return source()


@pytest.mark.usefixtures("copies")
class TestSource:
    def test_is_the_replica_when_it_is_fresh(self) -> None:
        with reading.reading(may_use_replica=True, positions={"default": 1_000}) as current:
            assert source() == "replica"
            assert current.as_of == HEARD_AT

    def test_is_the_primaries_outside_a_request(self) -> None:
        assert source() is None

    def test_is_the_primaries_where_something_may_be_written(self) -> None:
        assert source_of(may=False) is None

    @pytest.mark.parametrize(
        "copy",
        [
            replace(FRESH, position=999),
            replace(FRESH, is_whole=False),
            replace(FRESH, lag=5.1),
            replace(FRESH, heard_at=None),
        ],
    )
    def test_is_the_primaries_when_the_copy_is_not_good(
        self, copies: dict[str, Copy], copy: Copy
    ) -> None:
        copies["default"] = copy
        assert source_of({"default": 1_000}) is None

    def test_is_the_primaries_when_the_replica_does_not_tell(self, copies: dict[str, Copy]) -> None:
        copies.clear()
        assert source_of() is None

    def test_is_the_primaries_when_a_node_of_the_token_is_not_copied(self) -> None:
        assert source_of({"GOA": 1}) is None

    def test_stays_with_the_primaries_once_the_replica_failed(self) -> None:
        with reading.reading(may_use_replica=True, positions={}) as current:
            assert source() == "replica"
            reading.give_up_replica(OSError("gone"))
            assert source() is None
            assert current.as_of is None

    def test_stays_as_it_was_for_rows_that_are_read_while_the_answer_is_sent(
        self, copies: dict[str, Copy]
    ) -> None:
        def sources() -> Iterator[str | None]:
            while True:
                yield source()

        with reading.reading(may_use_replica=True, positions={}):
            rows = reading.read_on(sources())
            assert next(rows) == "replica"
        copies.clear()
        assert next(rows) == "replica"
        assert source() is None


class TestToken:
    def test_comes_back_as_it_was_given(self) -> None:
        positions = {"default": 0x16B3748, "MUM": reading.NEVER}
        assert positions_of(token_of(positions)) == positions

    def test_means_nothing_after_half_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        token = token_of({"MUM": 7})
        monkeypatch.setattr("core.read_routing.LIFE_SECONDS", -1)
        assert positions_of(token) == {}

    @pytest.mark.parametrize(
        "nonsense",
        [
            "",
            "default=1",
            "default=1:abc:def",
            "\0",
            "x" * 1_000_000,
            TimestampSigner(salt="other").sign("default=1"),
        ],
        ids=["empty", "unsigned", "forged", "nul", "endless", "another bank's"],
    )
    def test_of_somebody_elses_is_refused(self, nonsense: str) -> None:
        with pytest.raises(InvalidToken):
            positions_of(nonsense)


class TestMiddleware:
    def test_refuses_a_header_that_is_not_ours(self) -> None:
        request = RequestFactory().get("/", headers={HEADER: "default=1"})
        request.META["HTTP_X_REQUEST_ID"] = "of the test"
        answer = ReadRoutingMiddleware(never)(request)
        assert answer.status_code == 400
        assert HEADER.encode() in answer.content


def never(_request: HttpRequest) -> HttpResponse:
    pytest.fail("the request was let through")
