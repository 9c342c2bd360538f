"""Print what an image is made of: wheels and Debian packages, as a CycloneDX bill of materials.

The build runs it inside each image: ``python -m bankproject.sbom``.
"""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

DPKG: Final = Path("/var/lib/dpkg/status")
OS: Final = Path("/etc/os-release")
_LONGEST_NAME: Final = 80

Component = dict[str, Any]


def main() -> None:
    """Print the bill of materials."""
    components = [*wheels(), *debian_packages()]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid4()}",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "bankproject"}},
        "components": sorted(components, key=lambda one: one["purl"]),
    }
    json.dump(bill, sys.stdout, indent=1)


def wheels() -> Iterator[Component]:
    """Yield the packages that this Python can import."""
    for one in distributions():
        name = one.metadata["Name"].lower().replace("_", "-")
        yield {
            "type": "library",
            "name": name,
            "version": one.version,
            "purl": f"pkg:pypi/{quote(name)}@{quote(one.version)}",
            **_licence(one),
        }


def _licence(one: Distribution) -> Component:
    for field in ("License-Expression", "License"):
        # Some give the whole text in place of its name.
        if field in one.metadata and len(one.metadata[field]) < _LONGEST_NAME:
            return {"licenses": [{"license": {"name": one.metadata[field]}}]}
    return {}


def debian_packages() -> Iterator[Component]:
    """Yield the packages of the base image; none where it is no Debian."""
    if not DPKG.exists():
        return
    release = dict(line.partition("=")[::2] for line in OS.read_text().splitlines())
    distribution = release.get("VERSION_CODENAME", "").strip('"')
    for paragraph in DPKG.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line[:1].isalpha()]
        fields = dict(line.split(": ", 1) for line in lines if ": " in line)
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            place = f"{quote(name)}@{quote(version)}?arch={fields['Architecture']}"
            yield {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:deb/debian/{place}&distro={distribution}",
            }


if __name__ == "__main__":
    main()
