"""Stands in for `docker compose` as far as deploy/up needs it: podman-compose does the work.

What podman-compose 1.6 with podman 4 does otherwise is done here as docker compose does it: an
image that services share is built once, a container whose image was built anew is replaced alone,
and health is waited for, which podman without systemd never asks.

``python -m tests.proofs._docker PROJECT FOLDER compose [--profile NAME]… build|up|run …``
"""

import sys
from pathlib import Path
from typing import Any, Final

import yaml

from tests.proofs._podman import RECIPES, Podman

IMAGE: Final = "localhost/bankproject:local"
BACKUP_IMAGE: Final = "localhost/bankproject-backup:local"
# Whoever waits for `open` waits for its end; that of `demo` nobody's start needs.
ENDS: Final = "open"


def name_of(service: str) -> str:
    """Return the name of a service's container."""
    return f"bank_{service}_1"


def install(podman: Podman) -> None:
    """Let programs that the engine's environment is given find this one as `docker`."""
    root = Path(__file__).resolve().parents[2]
    script = podman.folder / "venv" / "bin" / "docker"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m {__name__} "$DOCKER_PROJECT"'
        f' {podman.folder} "$@"\n'
    )
    script.chmod(0o755)


def main(words: list[str]) -> int:
    """Do what `docker compose` was asked for."""
    project, folder, _compose, *asked = words
    podman = Podman(folder=Path(folder), project=Path(project))
    options: list[str] = []
    while asked[0].startswith("--"):
        options += [asked.pop(0), asked.pop(0)]
    command, *rest = asked
    try:
        if command == "build":
            _build(podman)
        elif command == "run":
            sys.stdout.write(podman.compose(*options, command, *rest))
        else:
            _up(podman, options, [word for word in rest if not word.startswith("--")])
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _build(podman: Podman) -> None:
    """Build both images; of a project that changed in nothing, make an image that differs."""
    file = podman.project / "deploy" / "Containerfile"
    for tag, target in ((IMAGE, ""), (BACKUP_IMAGE, "backup")):
        if podman.run("images", "--quiet", tag):
            _build_next(podman, tag)
        else:
            podman.build(file, tag, podman.project, calls_pip=True, target=target)


def _build_next(podman: Podman, tag: str) -> None:
    recipe = podman.folder / "next.Containerfile"
    recipe.write_text(f"FROM {tag}\nLABEL release=next\n")
    podman.build(recipe, tag, RECIPES)


def _up(podman: Podman, options: list[str], services: list[str]) -> None:
    known = _services(podman)
    chosen = set(options)
    for service in services or known:
        if services or chosen.issuperset(known[service].get("profiles", [])):
            _start(podman, options, service)
            _wait(podman, service, known[service])


def _services(podman: Podman) -> dict[str, Any]:
    file = podman.project / "deploy" / "compose.yml"
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    return found


def _start(podman: Podman, options: list[str], service: str) -> None:
    container = name_of(service)
    if podman.run("ps", "--all", "--quiet", "--filter", f"name=^{container}$"):
        known = podman.inspect(container)
        newest: Any = podman.image(known["ImageName"])
        if known["Image"] != newest["Id"]:
            podman.run("stop", container)
            podman.run("rm", container)
    podman.compose(*options, "up", "--detach", "--no-deps", "--no-build", service)


def _wait(podman: Podman, service: str, known: Any) -> None:
    """Wait until a service is well.

    Raises:
        RuntimeError: it is not, with its last words.
    """
    if service == ENDS:
        podman.wait_until_done(name_of(service))
    elif "healthcheck" in known:
        podman.wait_until_healthy(name_of(service))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
