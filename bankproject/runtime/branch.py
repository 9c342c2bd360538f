"""A PostgreSQL server of its own for one branch, beside the bank or on another machine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import connections

from bankproject.runtime import postgres
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home
from bankproject.runtime.planning import DATABASE, SMALL
from bankproject.runtime.ports import refuse_taken
from core.db.aliases import HEAD_OFFICE

READY_SECONDS: Final = 600.0
STOP_SECONDS: Final = 60.0


@contextmanager
def branch_server(
    home: Home, code: str, *, host: str, port: int
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a branch's server for the length of the block; yield it and the application's address.

    Its roles have the passwords of the head office's, so that every process of the bank gets in.

    Raises:
        StartError: it cannot start, with the reason.
    """
    home.open()
    home.refuse_full_disk()
    secrets = home.load_secrets()
    cluster = postgres.Cluster(
        binaries=postgres.embedded(),
        folder=home.data / f"branch-{code}",
        host=host,
        port=port,
        settings=SMALL,
    )
    _make_ready(cluster, password=secrets["postgres"])
    with (home.log / f"branch-{code}.log").open("ab") as log:
        server = subprocess.Popen(cluster.command(), stdout=log, stderr=log)
    try:
        yield server, _open(cluster, superuser_password=secrets["postgres"], secrets=secrets)
    finally:
        cluster.stop()
        server.wait(STOP_SECONDS)


def _make_ready(cluster: postgres.Cluster, *, password: str) -> None:
    """Make the data folder, or take it over from a server that an earlier run left."""
    if cluster.exists:
        cluster.stop()
    refuse_taken(cluster.port, cluster.host)
    if not cluster.exists:
        cluster.create(password=password)
    cluster.prepare_start()


def _open(cluster: postgres.Cluster, *, superuser_password: str, secrets: dict[str, str]) -> str:
    """Make roles and database; return the application's address."""
    superuser = cluster.url(
        database="postgres", role=postgres.SUPERUSER, password=superuser_password
    )
    postgres.wait_until_ready(superuser, seconds=READY_SECONDS)
    return postgres.create_bank(
        cluster=cluster,
        superuser_password=superuser_password,
        database=DATABASE,
        passwords={**secrets, **_passwords_of_bank()},
    ).app


def _passwords_of_bank() -> dict[str, str]:
    """Return the roles' passwords at the head office, of those that this process knows.

    Raises:
        StartError: it does not know who may migrate.
    """
    if settings.OWNER_DATABASE is None:
        message = "OWNER_DATABASE_URL is not set; only bank_owner may make a branch"
        raise StartError(message)
    known = [connections[HEAD_OFFICE].settings_dict, settings.OWNER_DATABASE]
    others = (settings.REPLICATION_DATABASE, settings.BACKUP_DATABASE)
    known += [address for address in others if address]
    return {str(address["USER"]): str(address["PASSWORD"]) for address in known}
