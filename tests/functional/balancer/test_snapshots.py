"""Where snapshots come from: what is newer and sound is obeyed, all else changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lb.data import source
from lb.data.source import SnapshotSource
from lb.snapshot import Snapshot, write_snapshot
from tests.balancing import Laboratory, laboratory, on_loop, saying


def _text(version: int) -> bytes:
    return write_snapshot(Snapshot(version=version, backends=()))


def _answer(status: int, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_EVERY_SECONDS", 0.005)


def _follow(
    work: Callable[[Laboratory, list[int]], Awaitable[None]],
    kept: Path | None = None,
    token: str | None = None,
) -> None:
    """Follow what the laboratory's backend answers, while ``work`` looks at the versions."""

    async def run() -> None:
        async with laboratory() as lab:
            obeyed: list[int] = []
            location = f"http://127.0.0.1:{lab.backends[0].port}/snapshot?zone=a"
            following = asyncio.create_task(
                SnapshotSource(location, kept, token).follow(
                    lambda snapshot: obeyed.append(snapshot.version)
                )
            )
            await work(lab, obeyed)
            following.cancel()

    on_loop(run())


def test_only_newer_versions_are_obeyed() -> None:
    async def work(lab: Laboratory, obeyed: list[int]) -> None:
        for version, expected in ((5, [5]), (5, [5]), (4, [5]), (6, [5, 6])):
            lab.backends[0].answer = saying(_answer(200, _text(version)))
            asked = len(lab.seen)
            await lab.until(lambda asked=asked: len(lab.seen) > asked + 2)  # type: ignore[misc]
            assert obeyed == expected

    _follow(work)


def test_what_is_no_snapshot_changes_nothing() -> None:
    async def work(lab: Laboratory, obeyed: list[int]) -> None:
        lab.backends[0].answer = saying(_answer(200, _text(5)))
        await lab.until(lambda: obeyed == [5])
        for raw in (
            *(_answer(500), _answer(200, b"{"), _answer(200, b""), b"no HTTP\r\n\r\n"),
            *(_answer(302), b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
        ):
            lab.backends[0].answer = saying(raw, closes=True)
            asked = len(lab.seen)
            await lab.until(lambda asked=asked: len(lab.seen) > asked + 1)  # type: ignore[misc]
        assert obeyed == [5]

    _follow(work)


def test_its_token_and_what_it_has_are_shown_to_the_control_plane(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def work(lab: Laboratory, obeyed: list[int]) -> None:
        lab.backends[0].answer = saying(_answer(200, _text(5)))
        await lab.until(lambda: obeyed == [5])
        lab.backends[0].answer = saying(b"HTTP/1.1 304 X\r\n\r\n")
        asked = len(lab.seen)
        await lab.until(lambda: len(lab.seen) > asked + 1)
        last = lab.seen[-1]
        assert last.target == "/snapshot?zone=a"
        assert last.values("authorization") == ["Bearer secret"]
        assert last.values("if-none-match") == ['"v5"']

    _follow(work, token="secret")
    assert "secret" not in capfd.readouterr().err


def test_the_last_one_is_kept_for_the_next_start(tmp_path: Path) -> None:
    kept = tmp_path / "kept"

    async def first(lab: Laboratory, obeyed: list[int]) -> None:
        lab.backends[0].answer = saying(_answer(200, _text(5)))
        await lab.until(lambda: obeyed == [5] and kept.exists())

    async def second(lab: Laboratory, obeyed: list[int]) -> None:
        lab.backends[0].answer = saying(_answer(503))
        await lab.until(lambda: obeyed == [5])

    _follow(first, kept)
    assert kept.read_bytes() == _text(5)
    _follow(second, kept)
