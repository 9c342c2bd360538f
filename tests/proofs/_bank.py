"""A bank on a PostgreSQL server of its own, for one proof, gone afterwards."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import (
    ROLES,
    SUPERUSER,
    Binaries,
    Cluster,
    create_bank,
    embedded,
)

PROJECT: Final = Path(__file__).resolve().parents[2]
_DATABASE: Final = "proof"


@dataclass(frozen=True, kw_only=True)
class OwnBank:
    """A server of our own with a migrated bank, and the environment in which programs find it."""

    cluster: Cluster
    password: str
    environment: Mapping[str, str]

    @property
    def app_url(self) -> str:
        """Return the address of the bank for the application."""
        return self.environment["DATABASE_URL"]

    @property
    def superuser_url(self) -> str:
        """Return the address of the bank for the superuser."""
        return self.cluster.url(database=_DATABASE, role=SUPERUSER, password=self.password)

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on the bank and return what came of it."""
        return subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *words],
            check=False,
            capture_output=True,
            text=True,
            env=dict(self.environment),
            cwd=PROJECT,
        )

    def check_books(self) -> str:
        """Check the books and return what is wrong; nothing when they prove."""
        done = self.manage("check_books")
        return (done.stdout + done.stderr).strip() if done.returncode else ""

    def start_python(self, module: str, *words: str) -> subprocess.Popen[str]:
        """Start a module of the project as a process that works on the bank."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *words],
            env=dict(self.environment),
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


@contextmanager
def own_bank(
    *, binaries: Binaries | None = None, settings: Sequence[str] = ()
) -> Iterator[OwnBank]:
    """Start a server, migrate a bank on it, and stop and forget both in the end.

    ``settings`` are lines for its postgresql.conf, after those of the bank.
    """
    folder = Path(tempfile.mkdtemp(prefix="bank-proof-"))
    folder.chmod(0o755)
    cluster = Cluster(
        binaries=binaries or embedded(),
        folder=folder / "postgres",
        port=first_free(24_000 + secrets.randbelow(5_000)),
    )
    try:
        password = secrets.token_urlsafe(16)
        cluster.create(password=password)
        with (cluster.folder / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{line}\n" for line in settings)
        cluster.start()
        yield _migrated(cluster, password, folder)
    finally:
        cluster.stop(mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _migrated(cluster: Cluster, password: str, folder: Path) -> OwnBank:
    urls = create_bank(
        cluster=cluster,
        superuser_password=password,
        database=_DATABASE,
        passwords=dict.fromkeys(ROLES, password),
    )
    environment = {
        **os.environ,
        "DATABASE_URL": urls.app,
        "OWNER_DATABASE_URL": urls.owner,
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "BANK_VAR": str(folder / "var"),
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.test",
    }
    bank = OwnBank(cluster=cluster, password=password, environment=environment)
    migrated = bank.manage("migrate", "--verbosity=0")
    if migrated.returncode != 0:
        raise RuntimeError(migrated.stderr)
    return bank


@contextmanager
def django_on(bank: OwnBank) -> Iterator[None]:
    """Let Django of this process, not set up so far, work on the bank."""
    os.environ.update(bank.environment)
    import django

    django.setup()
    from django.db import connections

    try:
        yield
    finally:
        connections.close_all()
