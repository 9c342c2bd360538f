"""A node's log comes in again without hands: after a failover, a lost slot, a full disk."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.db import connections
from pytest_django import Settings

from bankproject.backup import receiving, servers
from bankproject.backup.failures import BackupFailed
from bankproject.backup.receiving import Receiver, wait_until_received
from bankproject.backup.repository import Repository
from bankproject.backup.restoring import restore_node
from bankproject.backup.sealing import make_key
from bankproject.backup.taking import take_base
from bankproject.runtime.identity import give_to_server
from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import (
    ROLES,
    SUPERUSER,
    Cluster,
    create_bank,
    embedded,
    wait_until_ready,
)
from core.clock import now
from core.db.aliases import HEAD_OFFICE as NODE
from transactions.branches.marks import Mark, set_mark

PASSWORD: Final = "of a server that lives for seconds"


@pytest.fixture
def primary(tmp_path: Path, settings: Settings) -> Iterator[Cluster]:
    """Give a bank's server, which is the head office's for a while."""
    port = first_free(27_000 + os.getpid() % 1000)
    cluster = Cluster(binaries=embedded(), folder=tmp_path / "postgres", port=port)
    cluster.create(password=PASSWORD)
    cluster.start()
    settings.BACKUP_DATABASE = {"USER": "bank_backup", "PASSWORD": PASSWORD}
    usual = connections[NODE].settings_dict
    connections[NODE].settings_dict = {**usual, "PORT": port, "NAME": "bank"}
    try:
        create_bank(
            cluster=cluster,
            superuser_password=PASSWORD,
            database="bank",
            passwords=dict.fromkeys(ROLES, PASSWORD),
        )
        yield cluster
    finally:
        connections[NODE].settings_dict = usual
        cluster.stop(mode="immediate")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Give an empty folder of backups; a program that ended is started again at once."""
    monkeypatch.setattr(receiving, "_AGAIN_SECONDS", 0.0)
    found = Repository(tmp_path / "backups")
    found.of(NODE).open()
    make_key(tmp_path / "key.pem", found.certificate)
    return found


def connect(cluster: Cluster) -> psycopg.Connection:
    """Connect as the superuser, in autocommit, once the server answers."""
    url = cluster.url(database="bank", role=SUPERUSER, password=PASSWORD)
    wait_until_ready(url, seconds=60)
    return psycopg.connect(url, autocommit=True)


def write_segments(cluster: Cluster) -> None:
    """Write what fills two segments of the log and begins a third."""
    with connect(cluster) as bank:
        for _segment in range(2):
            bank.execute("SELECT pg_logical_emit_message(true, 'test', 'more')")
            bank.execute("SELECT pg_switch_wal()")
        bank.execute("SELECT pg_logical_emit_message(true, 'test', 'more')")


def receive_all(receiver: Receiver) -> None:
    """Have the log come in as far as it goes."""
    receiver.tend()
    with servers.connect(NODE) as line:
        wait_until_received(line, servers.one(line, "place")[0], node=NODE)
    receiver.seal_finished()


def standby_of(primary: Cluster) -> Cluster:
    """Return a server that has what the primary has, its slot, too, and takes over when started."""
    primary.stop(mode="fast")
    folder = primary.folder.with_name("standby")
    shutil.copytree(primary.folder, folder, copy_function=shutil.copy)
    (folder / "recovery.signal").touch()
    with (folder / "postgresql.auto.conf").open("a", encoding="utf-8") as conf:
        conf.write("restore_command = 'false'\n")
    for path in (folder, *folder.rglob("*")):
        give_to_server(path)
    primary.start()
    return replace(primary, folder=folder)


def answer(cluster: Cluster, words: str) -> None:
    """Keep an answer that a backup must bring back."""
    with connect(cluster) as bank:
        bank.execute("CREATE TABLE IF NOT EXISTS answered (at text)")
        bank.execute("INSERT INTO answered VALUES (%s)", [words])


def test_a_successor_that_lacks_what_came_in_is_followed_after_a_gap(
    primary: Cluster, repository: Repository, tmp_path: Path
) -> None:
    with Receiver(NODE, repository) as receiver:
        receive_all(receiver)
        take_base(NODE, repository, at=now())
        standby = standby_of(primary)
        receive_all(receiver)
        answer(primary, "by the former primary")
        write_segments(primary)
        with servers.connect(NODE) as line:
            mark = set_mark({NODE: line}, clock=now)
        receive_all(receiver)
        assert not repository.of(NODE).has_gap
        primary.stop(mode="immediate")
        standby.start()
        try:
            answer(standby, "by the successor")
            receive_all(receiver)
            assert repository.of(NODE).has_gap
            take_base(NODE, repository, at=now() + timedelta(seconds=1))
            repository.of(NODE).close_gap()
            answer(standby, "after the base backup")
            receive_all(receiver)
        finally:
            standby.stop(mode="immediate")
    assert not repository.of(NODE).has_gap
    after = answered_at(repository, standby, tmp_path / "last", mark=None)
    assert after == ["by the successor", "after the base backup"]
    before = answered_at(repository, standby, tmp_path / "mark", mark=mark)
    assert before == ["by the former primary"]


def answered_at(
    repository: Repository, cluster: Cluster, folder: Path, *, mark: Mark | None
) -> list[str]:
    """Return what a server has that is restored to a mark, or as far as its log has come in."""
    restored = restore_node(
        repository,
        folder,
        node=NODE,
        mark=mark,
        key=repository.folder.with_name("key.pem"),
        tell=lambda _line: None,
    )
    again = replace(cluster, folder=restored)
    again.start()
    try:
        with connect(again) as bank:
            return [words for (words,) in bank.execute("SELECT at FROM answered")]
    finally:
        again.stop(mode="immediate")


@pytest.mark.parametrize("is_past", [False, True])
def test_a_slot_that_was_made_anew_is_a_gap_where_the_log_went_on_without_it(
    primary: Cluster, repository: Repository, *, is_past: bool
) -> None:
    with Receiver(NODE, repository) as receiver:
        receive_all(receiver)
    with servers.connect(NODE) as line:
        servers.one(line, "forget_log")
    if is_past:
        write_segments(primary)
        with connect(primary) as bank:
            bank.execute("CHECKPOINT")
    with Receiver(NODE, repository) as receiver:
        receive_all(receiver)
        assert receiver.is_receiving
    assert repository.of(NODE).has_gap is is_past


def test_what_a_full_disk_did_not_take_comes_in_when_there_is_room(
    primary: Cluster,
    repository: Repository,
    own_mounts: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = repository.of(NODE)
    # No segment has room here, and only the program sees it so.
    full = 'mount -t tmpfs -o size=8m full "$0" && exec "$@"'
    crowded = [*own_mounts, "sh", "-c", full, str(store.receiving)]
    with monkeypatch.context() as patched, Receiver(NODE, repository) as receiver:
        patched.setattr(receiving, "command", lambda *words: [*crowded, *servers.command(*words)])
        receiver.tend()
        write_segments(primary)
        with pytest.raises(BackupFailed, match="the log of default does not come in"):
            receive_all(receiver)
        assert "No space left on device" in receiving.complaint_in(store.log)
    with Receiver(NODE, repository) as receiver:
        receive_all(receiver)
    assert not store.has_gap
    assert len(store.segments()) >= 2
