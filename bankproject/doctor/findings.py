"""What a look at a deployment finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. Danger: money, secrets or the bank's work are at risk."""

    DANGER = "danger"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be; ``about`` names the node, setting or address."""

    level: Level
    about: str
    sentence: str


Findings = Iterator[Finding]
Check = Callable[[], Findings]


def danger(about: str, sentence: str) -> Finding:
    """Return a finding that ends the doctor's visit with status 1."""
    return Finding(Level.DANGER, about, sentence)


def warning(about: str, sentence: str) -> Finding:
    """Return a finding that somebody should know."""
    return Finding(Level.WARNING, about, sentence)
