"""Restoring nodes from backups into empty folders, ready for servers to be started in.

A server that is started there replays the log up to the mark, ends recovery, and takes writes. What
is prepared then is settled by `manage.py watch`, as after any crash.
"""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from bankproject.backup.failures import BackupFailed, bytes_in, cannot_write
from bankproject.backup.repository import (
    PARTIAL,
    SEALED,
    Base,
    Repository,
    Segment,
    Store,
    bytes_of,
)
from bankproject.backup.sealing import refuse_wrong_key, unseal
from bankproject.backup.servers import tool
from bankproject.runtime.identity import give_to_server
from bankproject.runtime.programs import server_name
from transactions.branches.marks import Mark, Place

_SETTINGS: Final = """
# How this node was restored; without a file recovery.signal it means nothing.
restore_command = 'false'
recovery_target_name = '{name}'
recovery_target_timeline = '{timeline}'
recovery_target_action = 'promote'
"""

Tell = Callable[[str], None]


def restore_bank(
    repository: Repository, target: Path, *, mark: Mark, key: Path, tell: Tell
) -> list[Path]:
    """Restore all nodes to a mark; return the folders for their servers.

    Raises:
        BackupFailed: with the reason; what was begun is removed, what was there is as it was.
    """
    refuse_wrong_key(key, repository.certificate)
    return _restore(
        [_Restore(repository, node, target, key, mark.name, place) for node, place in _in(mark)],
        tell,
    )


def restore_node(
    repository: Repository, target: Path, *, node: str, mark: Mark | None, key: Path, tell: Tell
) -> Path:
    """Restore one node to a mark, or without one as far as its log has come in.

    Raises:
        BackupFailed: with the reason; what was begun is removed, what was there is as it was.
    """
    refuse_wrong_key(key, repository.certificate)
    if node not in repository.nodes():
        known = ", ".join(repository.nodes()) or "none"
        message = f"there are no backups of {node}; there are of {known}"
        raise BackupFailed(message)
    name = mark.name if mark else ""
    place = mark.places.get(node) if mark else None
    (folder,) = _restore([_Restore(repository, node, target, key, name, place)], tell)
    return folder


def _in(mark: Mark) -> Sequence[tuple[str, Place]]:
    return sorted(mark.places.items())


def _restore(restores: Sequence["_Restore"], tell: Tell) -> list[Path]:
    for each in restores:
        each.refuse()
    done: list[Path] = []
    try:
        for each in restores:
            done.append(each.carry_out())
            tell(f"{each.node}: restored from the base backup {each.base.name}")
    except OSError as error:
        _remove(done)
        raise cannot_write(Path(error.filename or "."), error) from error
    except BackupFailed:
        _remove(done)
        raise
    return done


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


class _Restore:
    """One node, from the base backup before a place in its log."""

    def __init__(
        self,
        repository: Repository,
        node: str,
        target: Path,
        key: Path,
        name: str,
        place: Place | None,
    ) -> None:
        self.node = node
        self._store = repository.of(node)
        self._folder = target / server_name(node)
        self._key = key
        self._name = name
        self._place = place
        self.base = _base_before(self._store, place, node)

    def refuse(self) -> None:
        """Check that nothing is in the way and that nothing is missing. Raises BackupFailed."""
        if self._folder.exists() and (not self._folder.is_dir() or any(self._folder.iterdir())):
            message = f"{self._folder} is not empty; nothing is restored over data that are there"
            raise BackupFailed(message)
        for part in self.base.parts:
            _refuse_changed(self._store.bases / self.base.name / part.name, part.digest)
        self._log_files()

    def carry_out(self) -> Path:
        """Restore; whole or not at all. Raises BackupFailed, OSError."""
        draft = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        try:
            self._unpack(draft)
            _verify(draft)
            self._bring_log(draft / "pg_wal")
            self._say_where_to_stop(draft)
            for path in (draft, *draft.rglob("*")):
                give_to_server(path)
            if self._folder.exists():
                self._folder.rmdir()
            draft.replace(self._folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return self._folder

    def _unpack(self, draft: Path) -> None:
        folder = self._store.bases / self.base.name
        parts = (unseal(folder / part.name, key=self._key) for part in self.base.parts)
        with _Ours.open(fileobj=io.BufferedReader(_Joined(parts)), mode="r|") as tar:
            tar.extractall(draft, filter="tar")

    def _bring_log(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for path in self._log_files():
            data = unseal(path, key=self._key) if path.suffix == SEALED else bytes_in(path)
            name = path.name.removesuffix(SEALED).removesuffix(PARTIAL)
            (folder / name).touch(mode=0o600)
            (folder / name).write_bytes(data)

    def _log_files(self) -> list[Path]:
        """Return the files of the log that are needed. Raises BackupFailed when one is missing."""
        size = self.base.segment_bytes
        first = Segment.at(self.base.start, self.base.timeline, size=size).number
        histories, found = [], dict[Segment, Path]()
        files = (*self._incoming(), *self._store.segments())
        # A segment that came in whole counts before what a gap or a failover left of it.
        for path in sorted(files, key=lambda file: PARTIAL not in file.name):
            try:
                segment = Segment.named(path.name, size=size)
            except ValueError:
                histories.append(path)
                continue
            if segment.number >= first and self._is_wanted(segment):
                found[segment] = path
        numbers = {segment.number for segment in found}
        last = self._last(size) or max(numbers, default=first)
        missing = sorted(set(range(first, last + 1)) - numbers)
        if missing:
            message = f"the log of {self.node} has a gap at segment {missing[0]:X}"
            raise BackupFailed(message)
        return [*histories, *found.values()]

    def _incoming(self) -> Iterator[Path]:
        return (path for path in self._store.receiving.glob("*") if path.is_file())

    def _last(self, size: int) -> int | None:
        return Segment.at(self._place.lsn, 0, size=size).number if self._place else None

    def _is_wanted(self, segment: Segment) -> bool:
        if self._place is None:
            return True
        last = self._last(self.base.segment_bytes)
        return segment.timeline <= self._place.timeline and segment.number <= (last or 0)

    def _say_where_to_stop(self, draft: Path) -> None:
        timeline = str(self._place.timeline) if self._place else "latest"
        with (draft / "postgresql.auto.conf").open("a", encoding="utf-8") as conf:
            conf.write(_SETTINGS.format(name=self._name, timeline=timeline))
        (draft / "recovery.signal").touch(mode=0o600)


class _Joined(io.RawIOBase):
    """Reads pieces as one file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._piece = io.BytesIO()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; none at the end."""
        while not (count := self._piece.readinto(buffer)):
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = io.BytesIO(piece)
        return count


class _Ours(tarfile.TarFile):
    """Leaves files to whoever unpacks them: give_to_server knows whose they must be."""

    def chown(self, *_file: Any, **_how: Any) -> None:
        """Change nothing."""


def _base_before(store: Store, place: Place | None, node: str) -> Base:
    """Return the newest base backup from which a place in the log can be reached.

    Raises:
        BackupFailed: there is none.
    """
    bases = store.whole_bases()
    for base in reversed(bases):
        if place is None:
            return base
        is_before = bytes_of(base.end) <= bytes_of(place.lsn)
        if is_before and base.timeline <= place.timeline:
            return base
    when = "so early" if bases else "at all"
    message = f"there is no base backup of {node} {when}"
    raise BackupFailed(message)


def _refuse_changed(file: Path, digest: str) -> None:
    if sha256(bytes_in(file)).hexdigest() != digest:
        message = f"{file} has changed since it was made; use another base backup"
        raise BackupFailed(message)


def _verify(folder: Path) -> None:
    """Hold every file against the manifest that the server made of it."""
    done = subprocess.run(
        [tool("pg_verifybackup"), "--no-parse-wal", "--quiet", str(folder)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        message = f"the base backup is damaged: {done.stderr.strip().splitlines()[0]}"
        raise BackupFailed(message)
