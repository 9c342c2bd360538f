"""A node on a server of one's own, of another release, is backed up by TLS and comes back."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.db import connections
from pytest_django import Settings

from bankproject.backup import servers
from bankproject.backup.receiving import Receiver, wait_until_received
from bankproject.backup.repository import Repository
from bankproject.backup.restoring import restore_bank
from bankproject.backup.sealing import make_key
from bankproject.backup.taking import take_base
from bankproject.runtime.identity import give_to_server
from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import (
    ROLES,
    SUPERUSER,
    Binaries,
    Cluster,
    create_bank,
    wait_until_ready,
)
from core.clock import now
from core.db.aliases import HEAD_OFFICE as NODE
from tests.certificates import Authority
from transactions.branches.marks import set_mark

PASSWORD: Final = "of a server that lives for seconds"


@pytest.fixture
def postgres15_by_tls(
    postgres15: Binaries, tmp_path: Path, settings: Settings
) -> Iterator[tuple[Cluster, str]]:
    """Give a bank's server that lets nobody in without TLS, and its superuser's address.

    It is the head office's for a while.
    """
    port = first_free(28_000 + os.getpid() % 1000)
    files = Authority().sign(tmp_path, "localhost", days=1)
    files.pem.chmod(0o600)
    give_to_server(files.pem)
    encryption = {"ssl": "on", "ssl_cert_file": str(files.pem), "ssl_key_file": str(files.pem)}
    cluster = Cluster(
        binaries=postgres15, folder=tmp_path / "postgres", port=port, settings=encryption
    )
    cluster.create(password=PASSWORD)
    rules = cluster.folder / "pg_hba.conf"
    rules.write_text(re.sub("^host ", "hostssl ", rules.read_text(), flags=re.MULTILINE))
    cluster.start()
    try:
        create_bank(
            cluster=cluster,
            superuser_password=PASSWORD,
            database="bank",
            passwords=dict.fromkeys(ROLES, PASSWORD),
        )
        settings.BACKUP_DATABASE = {"USER": "bank_backup", "PASSWORD": PASSWORD}
        with _head_office_at(port, files.authority):
            yield cluster, cluster.url(database="bank", role=SUPERUSER, password=PASSWORD)
    finally:
        cluster.stop(mode="immediate")


@contextmanager
def _head_office_at(port: int, authority: Path) -> Iterator[None]:
    usual = connections[NODE].settings_dict
    encrypted = {**usual["OPTIONS"], "sslmode": "verify-full", "sslrootcert": str(authority)}
    place = {"HOST": "127.0.0.1", "PORT": port, "NAME": "bank", "OPTIONS": encrypted}
    connections[NODE].settings_dict = {**usual, **place}
    try:
        yield
    finally:
        connections[NODE].settings_dict = usual


def test_a_server_of_postgresql_15_is_backed_up_by_tls_and_comes_back(
    postgres15_by_tls: tuple[Cluster, str], tmp_path: Path
) -> None:
    cluster, url = postgres15_by_tls
    repository, key = Repository(tmp_path / "backups"), tmp_path / "key.pem"
    repository.of(NODE).open()
    make_key(key, repository.certificate)
    with (
        psycopg.connect(url, autocommit=True) as bank,
        Receiver(NODE, repository) as receiver,
        servers.connect(NODE) as line,
    ):
        receiver.tend()
        wait_until_received(line, servers.one(line, "place")[0], node=NODE)
        bank.execute("CREATE TABLE answered AS SELECT 'before the base backup' AS at")
        take_base(NODE, repository, at=now())
        bank.execute("INSERT INTO answered VALUES ('before the mark')")
        mark = set_mark({NODE: line}, clock=now)
        bank.execute("INSERT INTO answered VALUES ('after the mark')")
        wait_until_received(line, mark.places[NODE].lsn, node=NODE)
    cluster.stop(mode="immediate")
    (folder,) = restore_bank(
        repository, tmp_path / "again", mark=mark, key=key, tell=lambda _line: None
    )
    again = replace(cluster, folder=folder)
    again.start()
    try:
        wait_until_ready(url, seconds=60)
        with psycopg.connect(url) as bank:
            found = bank.execute("SELECT at FROM answered").fetchall()
    finally:
        again.stop(mode="immediate")
    assert found == [("before the base backup",), ("before the mark",)]
