"""What stands in deploy/ fits together. That it works is proved by `make prove NAME=compose`."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from bankproject.reference.pages import PROJECT

DEPLOY: Final = PROJECT / "deploy"
SERVICES: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yml").read_text("utf-8"))[
    "services"
]
ENDING: Final = {"open", "demo"}
PARTS: Final = ["watch worker worker-long beat", "web-1", "web-2", ""]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the scripts, to make secrets in."""
    for name in ("prepare.sh", "up"):
        shutil.copy(DEPLOY / name, tmp_path)
    return tmp_path


class TestContainers:
    def test_find_the_secrets_that_are_made_once(self, folder: Path) -> None:
        assert {"SECRET_KEY_FALLBACKS_FILE", "METRICS_TOKEN_FILE"} <= {
            *SERVICES["web-1"]["environment"]
        }
        subprocess.run([folder / "prepare.sh"], check=True)
        made = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for name, service in SERVICES.items():
            mounts = (one.split(":") for one in service.get("volumes", []))
            places = {inside: outside for outside, inside, *_way in mounts}
            for setting, value in service.get("environment", {}).items():
                inside, _, file = str(value).rpartition("/")
                if setting.endswith("_FILE") and inside.startswith("/run/"):
                    assert folder / places[inside] / file in made, (name, setting)
        subprocess.run([folder / "prepare.sh"], check=True)
        assert {file: file.read_bytes() for file in made} == made

    @pytest.mark.parametrize("name", SERVICES)
    def test_are_bounded_and_say_whether_they_are_well(self, name: str) -> None:
        service = SERVICES[name]
        assert {*service["deploy"]["resources"]["limits"]} == {"cpus", "memory", "pids"}
        assert "healthcheck" in service or name in ENDING


class TestUp:
    """The one command, with a `docker` that writes down what it is told."""

    @staticmethod
    def told(folder: Path, *, failing: str = "-") -> tuple[int, list[str]]:
        script, said = folder / "docker", folder / "said"
        script.write_text(
            f'#!/bin/sh\necho "$*" >> {said}\ncase "$*" in *{failing}) exit 1;; esac\n'
        )
        script.chmod(0o755)
        path = f"{folder}:{os.environ['PATH']}"
        done = subprocess.run(
            [folder / "up", "--profile", "haproxy"], check=False, env={**os.environ, "PATH": path}
        )
        return done.returncode, said.read_text(encoding="utf-8").splitlines()

    def test_brings_one_part_after_the_other(self, folder: Path) -> None:
        status, (build, nodes, *parts) = self.told(folder)
        assert status == 0
        assert build == "compose --profile haproxy build"
        assert nodes.endswith(" head-office branch-mumbai branch-delhi replica valkey")
        assert all(one.startswith("compose --profile haproxy ") for one in parts)
        assert [one.partition(" --wait")[2].strip() for one in parts[1:]] == PARTS
        assert parts[0].endswith(" run --rm --no-deps -T open")
        assert all("--no-deps" in one for one in parts[:-1])

    def test_goes_no_further_than_what_is_well(self, folder: Path) -> None:
        status, said = self.told(folder, failing="web-1")
        assert status == 1
        assert said[-1].endswith(" web-1")
