"""What some tests need beyond Python, found on this machine or installed where that is possible.

Without it they skip, and pytest lists the reasons at the end; under CI=true they fail.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import pytest

from bankproject.runtime.postgres import Binaries

POSTGRES_15: Final = Path("/usr/lib/postgresql/15/bin")
CLUSTER_SETTINGS: Final = Path("/etc/postgresql-common/createcluster.conf")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

Found = TypeVar("Found")


@pytest.fixture(scope="session")
def postgres15() -> Binaries:
    """Return the machine's PostgreSQL 15."""
    return _provide("PostgreSQL 15", _find_postgres15, _install_postgres15)


@pytest.fixture(scope="session")
def chromium_program() -> Path:
    """Return the machine's Chromium."""
    return _provide("Chromium", _find_chromium, lambda: _apt_install("chromium"))


@pytest.fixture(scope="session")
def haproxy() -> Path:
    """Return the machine's HAProxy."""
    return _provide("HAProxy", _find_haproxy, lambda: _apt_install("haproxy"))


@pytest.fixture(scope="session")
def as_root() -> None:
    """Be root: what root is refused, or gives up, an ordinary user cannot try."""
    if os.geteuid() != 0:
        pytest.skip("this is about root, and this is an ordinary user")


@pytest.fixture(scope="session")
def own_mounts() -> tuple[str, ...]:
    """Return what runs a command in a view of the file system of its own."""
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ("unshare", *as_root, "--mount", "--")
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        give_up("this machine gives nobody a view of the file system of their own (unshare)")
    return command


def give_up(reason: str) -> NoReturn:
    """Skip the test for ``reason``; under CI=true fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing under CI: {reason}", pytrace=False)
    pytest.skip(reason)


def _provide(name: str, find: Callable[[], Found | None], install: Callable[[], None]) -> Found:
    """Return what ``find`` finds, at once or after ``install``."""
    with (Path(tempfile.gettempdir()) / f"bankproject-install-{os.getuid()}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = find()
        if found is None:
            install()
            found = find()
    return found or give_up(f"{name} is not on this machine and could not be installed")


def _find_postgres15() -> Binaries | None:
    return Binaries(folder=POSTGRES_15) if (POSTGRES_15 / "postgres").exists() else None


def _install_postgres15() -> None:
    if os.geteuid() == 0 and not CLUSTER_SETTINGS.exists():
        # Debian would make a server of its own and start it, which nobody asked for.
        CLUSTER_SETTINGS.parent.mkdir(parents=True, exist_ok=True)
        CLUSTER_SETTINGS.write_text("create_main_cluster = false\n", encoding="ascii")
    _apt_install("postgresql-15")


def _find_chromium() -> Path | None:
    return next((Path(found) for name in BROWSERS if (found := shutil.which(name))), None)


def _find_haproxy() -> Path | None:
    # Debian's place is on root's path alone.
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    return Path(found) if found else None


def _apt_install(package: str) -> None:
    """Install a Debian package, as root where there is apt-get; else leave it."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    for command in (["apt-get", "update", "--quiet"], install):
        subprocess.run(command, check=False, capture_output=True, env=quiet, timeout=600)
