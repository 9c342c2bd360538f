"""The folder of backups: what lies where in it, and what its catalogue says.

``certificate.pem`` seals; the key that opens is kept elsewhere. ``marks/DAY.jsonl`` has the points
to which all nodes can be restored together. Each node has a folder with ``server.json`` (which
server it is), ``base/WHEN/`` (a base backup: sealed parts, and ``backup.json`` once it is whole),
``wal/`` (the sealed segments of its log), and ``receiving/`` (the log as it comes in, plain until
its segment is full).
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Self

from bankproject.backup.failures import BackupFailed, cannot_write
from bankproject.runtime.home import write_private
from transactions.branches.marks import Mark, Place

SEALED: Final = ".cms"
PARTIAL: Final = ".partial"
_NAME_DIGITS: Final = 8
_READ_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A sealed part of a base backup, and the SHA-256 by which changes are noticed."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base backup. It needs the log from ``start`` on, and is consistent from ``end`` on."""

    name: str
    ended: datetime
    start: str
    end: str
    timeline: int
    segment_bytes: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """The part of the folder that is one node's."""

    folder: Path

    @property
    def bases(self) -> Path:
        """Return the folder of base backups."""
        return self.folder / "base"

    @property
    def wal(self) -> Path:
        """Return the folder of sealed segments of the log."""
        return self.folder / "wal"

    @property
    def receiving(self) -> Path:
        """Return the folder in which the log comes in."""
        return self.folder / "receiving"

    @property
    def log(self) -> Path:
        """Return what the receiving program last said."""
        return self.folder / "receiver.log"

    def open(self) -> None:
        """Make the folders.

        Raises:
            BackupFailed: they cannot be made.
        """
        try:
            for folder in (self.folder, self.bases, self.wal, self.receiving):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else takes or forgets backups of the node, and keep others waiting.

        Raises:
            BackupFailed: the folders cannot be made.
        """
        self.open()
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def has_gap(self) -> bool:
        """Tell whether a part of the log was lost since the last base backup."""
        return self._gap.exists()

    def note_gap(self) -> None:
        """Remember that a part of the log is lost, before anything of it is forgotten."""
        self._gap.touch()

    def close_gap(self) -> None:
        """Forget a gap: a base backup was begun after it."""
        self._gap.unlink(missing_ok=True)

    @property
    def _gap(self) -> Path:
        return self.folder / "gap"

    def whole_bases(self) -> list[Base]:
        """Return the base backups that were finished, the oldest first.

        Raises:
            BackupFailed: what one says of itself is damaged.
        """
        return [_base_in(file) for file in sorted(self.bases.glob("*/backup.json"))]

    def keep_base(self, base: Base) -> None:
        """Note that a base backup is whole. Raises OSError."""
        text = json.dumps({**asdict(base), "ended": base.ended.isoformat()})
        write_private(self.bases / base.name / "backup.json", text)

    def segments(self) -> list[Path]:
        """Return the sealed segments of the log, the first first."""
        return sorted(path for path in self.wal.glob(f"*{SEALED}") if not path.name.startswith("."))

    def refuse_other_server(self, identifier: int) -> None:
        """Check that it is the same server as before, and note it the first time.

        Raises:
            BackupFailed: it is another one, or what was noted is damaged.
        """
        try:
            known = self._known_server()
        except FileNotFoundError:
            self._note_server(identifier)
            return
        if known != identifier:
            message = (
                f"{self.folder.name} is another server than the one in {self.folder};"
                " give BACKUP_FOLDER a new folder and configure it"
            )
            raise BackupFailed(message)

    @property
    def _server(self) -> Path:
        return self.folder / "server.json"

    def _known_server(self) -> int:
        """Return which server it was before. Raises BackupFailed, FileNotFoundError."""
        try:
            return int(json.loads(self._server.read_text("utf-8"))["system_identifier"])
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self._server} is damaged; remove it if the server is still the same"
            raise BackupFailed(message) from error

    def _note_server(self, identifier: int) -> None:
        """Note which server it is. Raises BackupFailed."""
        try:
            write_private(self._server, json.dumps({"system_identifier": identifier}))
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def size(self) -> int:
        """Return how many bytes lie here."""
        found = 0
        for folder, _folders, files in os.walk(self.folder):
            for file in files:
                try:
                    found += (Path(folder) / file).stat().st_size
                except FileNotFoundError:
                    continue
        return found


@dataclass(frozen=True, slots=True)
class Repository:
    """The folder of all backups of a bank."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Return the certificate for which backups are sealed."""
        return self.folder / "certificate.pem"

    @property
    def marks_folder(self) -> Path:
        """Return the folder of marks."""
        return self.folder / "marks"

    def of(self, node: str) -> Store:
        """Return what is a node's."""
        return Store(self.folder / node)

    def nodes(self) -> list[str]:
        """Return the nodes that have been backed up."""
        return sorted(path.parent.name for path in self.folder.glob("*/base"))

    def keep_mark(self, mark: Mark) -> None:
        """Add a mark, once all nodes' logs have come in so far.

        Raises:
            BackupFailed: it cannot be written.
        """
        line = {
            "began": mark.began.isoformat(),
            "ended": mark.ended.isoformat(),
            "places": mark.places,
        }
        try:
            self.marks_folder.mkdir(mode=0o700, exist_ok=True)
            with self._marks_of(mark.began.date()).open("a", encoding="utf-8") as file:
                # A line that a full disk broke off takes none with it.
                file.write("\n" + json.dumps(line, separators=(",", ":")))
        except OSError as error:
            raise cannot_write(self.marks_folder, error) from error

    def last_mark(self, *, until: datetime | None = None) -> Mark | None:
        """Return the last mark, or the last that was over at an instant; None without one."""
        for file in sorted(self.marks_folder.glob("*.jsonl"), reverse=True):
            if until is not None and file.stem > until.date().isoformat():
                continue
            for mark in _marks_from_end(file):
                if until is None or mark.ended <= until:
                    return mark
        return None

    def forget_marks(self, *, before: date) -> None:
        """Remove the marks of the days before one."""
        for file in self.marks_folder.glob("*.jsonl"):
            if file.stem < before.isoformat():
                file.unlink()

    def _marks_of(self, day: date) -> Path:
        return self.marks_folder / f"{day.isoformat()}.jsonl"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A segment of a node's log, by its number and its timeline."""

    number: int
    timeline: int

    @classmethod
    def named(cls, name: str, *, size: int) -> Self:
        """Read the name of a segment. Raises ValueError when it is none."""
        timeline, high, low = (int(name[at : at + _NAME_DIGITS], 16) for at in (0, 8, 16))
        return cls(high * (2**32 // size) + low, timeline)

    @classmethod
    def at(cls, lsn: str, timeline: int, *, size: int) -> Self:
        """Return the segment that holds what is before a place in the log."""
        return cls((bytes_of(lsn) - 1) // size, timeline)


def bytes_of(lsn: str) -> int:
    """Return a place in the log as a number."""
    high, _, low = lsn.partition("/")
    return int(high, 16) * 2**32 + int(low, 16)


def _base_in(file: Path) -> Base:
    try:
        said: dict[str, Any] = json.loads(file.read_text("utf-8"))
        parts = tuple(Part(**part) for part in said.pop("parts"))
        ended = datetime.fromisoformat(said.pop("ended"))
        return Base(**said, ended=ended, parts=parts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{file} is damaged"
        raise BackupFailed(message) from error


def _marks_from_end(file: Path) -> Iterator[Mark]:
    """Yield the marks of a day, the last first."""
    for line in _lines_from_end(file):
        try:
            said = json.loads(line)
            yield Mark(
                began=datetime.fromisoformat(said["began"]),
                ended=datetime.fromisoformat(said["ended"]),
                places={node: Place(*place) for node, place in said["places"].items()},
            )
        except (ValueError, KeyError, TypeError):
            # The disk was full in the middle of it: that one does not count.
            continue


def _lines_from_end(file: Path) -> Iterator[bytes]:
    """Yield the lines of a file, the last first; what lies before them is not read.

    A day has 86,400 marks, and mostly the last one is asked for.
    """
    with file.open("rb") as lines:
        place, begun = lines.seek(0, os.SEEK_END), b""
        while place:
            size = min(place, _READ_BYTES)
            place -= size
            lines.seek(place)
            begun, *whole = (lines.read(size) + begun).split(b"\n")
            yield from reversed(whole)
        yield begun
