"""podman on a machine without systemd and without a registry, with images that stand in."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = ("podman", "buildah", "runc", "debootstrap")
COMPOSE: Final = "podman-compose==1.6.0"
RECIPES: Final = Path(__file__).parent / "containers"
# Which image each recipe stands in for; deploy/ names these.
STAND_INS: Final = {
    "python": "docker.io/library/python:3.11.14-slim-bookworm",
    "postgres": "docker.io/library/postgres:18.1-bookworm",
    "valkey": "docker.io/valkey/valkey:9.0-bookworm",
    "haproxy": "docker.io/library/haproxy:3.2-bookworm",
}
_ROOT: Final = "localhost/debian:bookworm"
_ENGINE: Final = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""
# Authorities, and where pip finds them: for builds alone, in which nothing of it stays.
_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_PIP: Final = f"[global]\ncert = {_AUTHORITIES}\n"


class Missing(Exception):
    """A program or an image is not here; the message says which."""


@dataclass(frozen=True, kw_only=True)
class Podman:
    """An engine of the proof's own: its images and containers lie in a folder."""

    folder: Path
    project: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what podman and podman-compose are told."""
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "PATH": f"{self.folder}/venv/bin:{os.environ['PATH']}",
            "BUILDAH_ISOLATION": "oci",
            "DOCKER_PROJECT": str(self.project),
            # Staff of a demo need no second factor.
            "BANK_DEMO": "1",
        }

    def run(self, *words: str, check: bool = True, seconds: float = 900) -> str:
        """Run podman and return what it prints.

        Raises:
            RuntimeError: it fails, with its last words.
        """
        return self._run(["podman", *words], check=check, seconds=seconds)

    def compose(self, *words: str) -> str:
        """Run podman-compose on the project's own file."""
        file = str(self.project / "deploy" / "compose.yml")
        return self._run(["podman-compose", "-f", file, *words], check=True, seconds=900)

    def build(
        self, file: Path, tag: str, context: Path, *, calls_pip: bool = False, target: str = ""
    ) -> None:
        """Build an image, or another target of its file, with the host's network."""
        mounts = []
        if calls_pip:
            pip = self.folder / "pip.conf"
            pip.write_text(_PIP)
            places = {_AUTHORITIES: str(_AUTHORITIES), pip: "/etc/pip.conf"}
            mounts = [f"--volume={one}:{place}:ro" for one, place in places.items()]
        options = ["--network=host", "--layers=false", "--pull=never", "--quiet", *mounts]
        options += [f"--target={target}"] if target else []
        self.run("build", *options, f"--file={file}", f"--tag={tag}", str(context), seconds=1_800)

    def inspect(self, name: str) -> Any:
        """Return what podman knows of a container."""
        return json.loads(self.run("container", "inspect", name))[0]

    def image(self, name: str) -> Any:
        """Return what podman knows of an image."""
        return json.loads(self.run("image", "inspect", name))[0]

    def inside(self, name: str, *words: str, check: bool = True) -> str:
        """Run a command in a container."""
        return self.run("exec", name, *words, check=check)

    def logs(self, name: str, *, lines: int = 20) -> str:
        """Return the last words of a container, also those of its errors."""
        done = subprocess.run(
            ["podman", "logs", f"--tail={lines}", name],
            env=dict(self.environment),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.stdout

    def is_healthy(self, name: str) -> bool:
        """Run a container's health check: without systemd nobody else does."""
        done = subprocess.run(
            ["podman", "healthcheck", "run", name],
            env=dict(self.environment),
            check=False,
            capture_output=True,
        )
        return done.returncode == 0

    def wait_until_healthy(self, name: str, *, seconds: float = 240) -> float:
        """Wait for a container's health check to pass; return how long it took."""
        began = time.monotonic()
        while not self.is_healthy(name):
            if time.monotonic() > began + seconds:
                message = f"{name} does not become healthy: {self.logs(name)}"
                raise RuntimeError(message)
            time.sleep(0.5)
        return time.monotonic() - began

    def wait_until_done(self, name: str) -> None:
        """Wait for a container that ends by itself.

        Raises:
            RuntimeError: it did not do what it is for, with its last words.
        """
        if self.run("wait", name, seconds=1_800).strip() != "0":
            message = f"{name}: {self.logs(name)}"
            raise RuntimeError(message)

    def deploy(self, *options: str) -> None:
        """Run the one command that starts and upgrades the bank, as a demo."""
        self._run([str(self.project / "deploy" / "up"), *options], check=True, seconds=3_600)

    def _run(self, command: Sequence[str], *, check: bool, seconds: float) -> str:
        done = subprocess.run(
            command,
            env=dict(self.environment),
            cwd=self.project,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if check and done.returncode != 0:
            message = (
                f"{' '.join(command[:4])}: {done.stderr.strip()[-1500:] or done.stdout[-1500:]}"
            )
            raise RuntimeError(message)
        return done.stdout


def engine(project: Path) -> Podman:
    """Set up an engine that works on a copy of the project.

    Raises:
        Missing: a program is not installed.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        wanted = " ".join((*PROGRAMS, "netavark", "aardvark-dns"))
        message = f"not installed: {', '.join(missing)}; apt-get install {wanted}"
        raise Missing(message)
    # Kept between runs: making the stand-ins takes minutes.
    folder = Path(os.environ.get("BANK_PODMAN") or Path(tempfile.gettempdir()) / "bank-podman")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "containers.conf").write_text(_ENGINE)
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'
    )
    if not (folder / "venv" / "bin" / "podman-compose").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        pip = [str(folder / "venv" / "bin" / "pip"), "install", "--quiet", COMPOSE]
        subprocess.run(pip, check=True)
    return Podman(folder=folder, project=project)


def make_stand_ins(podman: Podman) -> list[str]:
    """Make the images that cannot be pulled here; return the names that they stand in for."""
    known = podman.run("images", "--format={{.Repository}}:{{.Tag}}").split()
    if _ROOT not in known:
        _make_root(podman)
    for recipe, image in STAND_INS.items():
        if image not in known:
            podman.build(RECIPES / f"{recipe}.Containerfile", image, RECIPES)
    return list(STAND_INS.values())


def _make_root(podman: Podman) -> None:
    root = podman.folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    archive = podman.folder / "root.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
    podman.run("import", str(archive), _ROOT)
    shutil.rmtree(root)
    archive.unlink()
