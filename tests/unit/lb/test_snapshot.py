"""Snapshots are read strictly, and written as they are read."""

import json

import pytest

from lb.snapshot import (
    Backend,
    Policy,
    RateLimit,
    Snapshot,
    SnapshotInvalidError,
    State,
    read_snapshot,
    write_snapshot,
)

SOUND = {"version": 3, "backends": [{"name": "a", "host": "127.0.0.1", "port": 8001}]}
BACKEND = SOUND["backends"][0]  # type: ignore[index]  # a list of one


def test_what_is_written_is_read_back() -> None:
    written = Snapshot(
        version=7,
        backends=(
            Backend(name="a", host="127.0.0.1", port=1, weight=3),
            Backend(name="b", host="::1", port=1, state=State.DRAINING),
        ),
        policy=Policy.PEAK_EWMA,
        rate_limit=RateLimit(requests_per_second=5.0, burst=10),
    )
    assert read_snapshot(write_snapshot(written)) == written
    assert read_snapshot(json.dumps(SOUND).encode()).policy is Policy.HYBRID


UNSOUND = {
    "not JSON": b"{",
    "not UTF-8": b"\xff",
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "twice": b'{"version": 1, "version": 2, "backends": []}',
    "no number": b'{"version": NaN, "backends": []}',
    **{
        f"{name} = {value!r}": json.dumps({**SOUND, name: value}).encode()
        for name, value in (
            *(("version", 0), ("version", True), ("version", 1.0), ("version", "1")),
            *(("version", None), ("backends", {}), ("backends", None), ("backends", [1])),
            *(("policy", "best"), ("policy", 1), ("extra", 1), ("check", []), ("rate_limit", 5)),
            *(("check", {"path": "health"}), ("check", {"path": "/a b"}), ("check", {"rise": 0})),
            *(("check", {"path": "/a\r\nX: y"}), ("check", {"extra": 1})),
            *(("deadlines", {"idle_seconds": 0}), ("deadlines", {"idle_seconds": -1})),
            *(("deadlines", {"idle_seconds": "1"}), ("deadlines", {"idle_seconds": 1e9})),
            *(("rate_limit", {"burst": 5}), ("backends", [BACKEND, BACKEND])),
        )
    },
    **{
        f"backend {name} = {value!r}": json.dumps(
            {**SOUND, "backends": [{**BACKEND, name: value}]}
        ).encode()
        for name, value in (
            *(("name", ""), ("name", 'a"b'), ("name", "a" * 65), ("host", "localhost")),
            *(("host", "127.1"), ("port", 0), ("port", 65_536), ("port", "80"), ("weight", 0)),
            *(("state", "gone"), ("extra", 1)),
        )
    },
}


def test_anything_else_is_refused_whole() -> None:
    for name, text in UNSOUND.items():
        with pytest.raises(SnapshotInvalidError):
            pytest.fail(f"{name} is read as {read_snapshot(text)}")
