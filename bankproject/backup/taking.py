"""Taking a base backup of a node: what pg_basebackup says is sealed before it lies anywhere."""

import io
import re
import shutil
import subprocess
import tarfile
from datetime import datetime
from typing import IO, Final

import psycopg

from bankproject.backup.failures import BackupFailed, cannot_write
from bankproject.backup.repository import SEALED, Base, Part, Repository, Store
from bankproject.backup.sealing import seal
from bankproject.backup.servers import command, connect, environment, one
from core.clock import now

PART_BYTES: Final = 1 << 24
_START: Final = re.compile(r"START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+)")


def take_base(node: str, repository: Repository, *, at: datetime) -> Base:
    """Take a base backup of a node whose log is being received; whole or not at all.

    Raises:
        BackupFailed: the node does not answer, nobody receives its log, or the folder is full.
    """
    store = repository.of(node)
    store.open()
    try:
        with connect(node) as line:
            slot = one(line, "slot")
            if slot is None or not slot[0]:
                message = f"nobody receives the log of {node}; start manage.py backup keep first"
                raise BackupFailed(message)
            identifier, segment_bytes = one(line, "identity")
            store.refuse_other_server(identifier)
            return _taken(node, repository, line, at=at, segment_bytes=segment_bytes)
    except psycopg.Error as error:
        message = f"{node} does not answer: {' '.join(str(error).split())}"
        raise BackupFailed(message) from error


def _taken(
    node: str,
    repository: Repository,
    line: psycopg.Connection,
    *,
    at: datetime,
    segment_bytes: int,
) -> Base:
    store, name = repository.of(node), f"{at:%Y%m%dT%H%M%SZ}"
    folder = store.bases / name
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise cannot_write(store.bases, error) from error
    try:
        parts, start = _stream(node, repository, store, name)
        end, timeline = one(line, "place")
        base = Base(
            name=name,
            ended=now(),
            start=start,
            end=end,
            timeline=timeline,
            segment_bytes=segment_bytes,
            parts=parts,
        )
        store.keep_base(base)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise cannot_write(folder, error) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return base


def _stream(
    node: str, repository: Repository, store: Store, name: str
) -> tuple[tuple[Part, ...], str]:
    """Seal what pg_basebackup says, part by part; return the parts and where the log begins."""
    words = ("--pgdata=-", "--format=tar", "--wal-method=none", "--checkpoint=fast")
    parts: list[Part] = []
    start = ""
    with subprocess.Popen(
        command("pg_basebackup", node, *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as program:
        try:
            while data := _output(program).read(PART_BYTES):
                start = start or _start_of(data)
                file = f"part-{len(parts):06}{SEALED}"
                place = store.bases / name / file
                digest = seal(data, place, certificate=repository.certificate)
                parts.append(Part(name=file, digest=digest))
        except BaseException:
            program.kill()
            raise
        complaint = program.stderr.read().decode(errors="replace") if program.stderr else ""
    if program.returncode != 0:
        lines = [text for text in complaint.splitlines() if "error" in text] or ["no reason given"]
        message = f"no base backup of {node}: {lines[0]}"
        raise BackupFailed(message)
    return tuple(parts), start


def _output(program: subprocess.Popen[bytes]) -> IO[bytes]:
    if program.stdout is None:
        raise AssertionError
    return program.stdout


def _start_of(data: bytes) -> str:
    """Return where the log begins that a base backup needs, from its first part."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|") as tar:
        first = tar.next()
        label = tar.extractfile(first) if first and first.name == "backup_label" else None
        found = _START.search(label.read().decode()) if label else None
    if found is None:
        message = "the server sent a base backup without a label"
        raise BackupFailed(message)
    return found[1]
