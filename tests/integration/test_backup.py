"""Backups that cannot be made or restored say why, and nothing that was there is changed."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from bankproject.backup import restoring
from bankproject.backup.failures import BackupFailed
from bankproject.backup.keeping import is_base_due
from bankproject.backup.pruning import prune
from bankproject.backup.repository import SEALED, Base, Part, Repository, Segment
from bankproject.backup.restoring import restore_bank
from bankproject.backup.sealing import make_key, seal, unseal
from bankproject.management.commands.backup import Command
from bankproject.reference.sources import PROJECT
from transactions.branches.marks import Mark, Place

NODE: Final = "default"
SIZE: Final = 1 << 24
RESTORE: Final = "bankproject.backup.restoring._Restore"
SHA_256: Final = bytes.fromhex("0609608648016503040201")
BEGAN: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MARK: Final = Mark(
    began=BEGAN, ended=BEGAN + timedelta(milliseconds=4), places={NODE: Place("0/3000100", 1)}
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of backups with one base backup, a log and a mark, and beside it the key."""
    folder = tmp_path_factory.mktemp("made")
    repository = Repository(folder / "backups")
    repository.of(NODE).open()
    make_key(folder / "key.pem", repository.certificate)
    add_base(repository, "20260302T000000Z", start="0/2000028", ended=BEGAN - timedelta(hours=9))
    for number in (2, 3):
        add_segment(repository, number)
    repository.keep_mark(MARK)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it to be harmed."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def add_base(repository: Repository, name: str, *, start: str, ended: datetime) -> Base:
    """Add a base backup of a few bytes."""
    store = repository.of(NODE)
    (store.bases / name).mkdir()
    file = store.bases / name / f"part-000000{SEALED}"
    digest = seal(b"data", file, certificate=repository.certificate)
    base = Base(
        name=name,
        ended=ended,
        start=start,
        end=start,
        timeline=1,
        segment_bytes=SIZE,
        parts=(Part(name=file.name, digest=digest),),
    )
    store.keep_base(base)
    return base


def add_segment(repository: Repository, number: int) -> Path:
    """Add a segment of the log."""
    file = repository.of(NODE).wal / f"{1:08X}{0:08X}{number:08X}{SEALED}"
    seal(b"log", file, certificate=repository.certificate)
    return file


def flip_a_byte(file: Path) -> None:
    """Change the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def base_part(folder: Path) -> Path:
    """Return the sealed part of the base backup."""
    (found,) = (folder / "backups").glob(f"{NODE}/base/*/part-*{SEALED}")
    return found


def change_base(folder: Path) -> None:
    flip_a_byte(base_part(folder))


def lose_base_part(folder: Path) -> None:
    base_part(folder).unlink()


def lose_segment(folder: Path) -> None:
    next((folder / "backups" / NODE / "wal").glob(f"*2{SEALED}")).unlink()


def lose_key(folder: Path) -> None:
    (folder / "key.pem").unlink()


def take_another_key(folder: Path) -> None:
    lose_key(folder)
    make_key(folder / "key.pem", folder / "another.pem")


def take_no_key(folder: Path) -> None:
    (folder / "key.pem").write_text("no key")


def lose_certificate(folder: Path) -> None:
    (folder / "backups" / "certificate.pem").unlink()


def live_there(folder: Path) -> None:
    (folder / "target" / "postgres").mkdir(parents=True)
    (folder / "target" / "postgres" / "PG_VERSION").write_text("18")


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (change_base, "has changed since it was made"),
        (lose_base_part, "cannot be read: No such file"),
        (lose_segment, "the log of default has a gap at segment 2"),
        (lose_key, "key.pem cannot be read: No such file"),
        (take_another_key, "does not open these backups"),
        (take_no_key, "is not the key that `backup configure` made"),
        (lose_certificate, "certificate.pem is missing or damaged"),
        (live_there, "is not empty; nothing is restored over data"),
    ],
)
def test_what_cannot_be_restored_is_told_and_nothing_is_touched(
    folder: Path, harm: Callable[[Path], None], complaint: str
) -> None:
    harm(folder)
    before = sorted((path, path.is_file() and path.read_bytes()) for path in folder.rglob("*"))
    with pytest.raises(BackupFailed, match=complaint):
        restore_bank(
            Repository(folder / "backups"),
            folder / "target",
            mark=MARK,
            key=folder / "key.pem",
            tell=lambda _line: None,
        )
    after = sorted((path, path.is_file() and path.read_bytes()) for path in folder.rglob("*"))
    assert after == before


def test_a_file_of_the_log_that_vanishes_meanwhile_is_told_as_such(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(folder / "backups")
    incoming = repository.of(NODE).receiving / f"{1:08X}{0:08X}{4:08X}.partial"
    monkeypatch.setattr(f"{RESTORE}._log_files", lambda _restore: [incoming])
    monkeypatch.setattr(f"{RESTORE}._unpack", lambda _restore, _draft: None)
    monkeypatch.setattr(restoring, "_verify", lambda _draft: None)
    with pytest.raises(BackupFailed, match=r"partial cannot be read: No such file"):
        restoring.restore_node(
            repository,
            folder / "target",
            node=NODE,
            mark=None,
            key=folder / "key.pem",
            tell=lambda _line: None,
        )
    assert list((folder / "target").iterdir()) == []


def test_only_the_key_opens_what_is_sealed_and_no_byte_of_it_can_be_changed(folder: Path) -> None:
    file, key = folder / f"sealed{SEALED}", folder / "key.pem"
    seal(b"money " * 1_000, file, certificate=folder / "backups" / "certificate.pem")
    assert b"money" not in file.read_bytes()
    assert SHA_256 in file.read_bytes()
    assert unseal(file, key=key) == b"money " * 1_000
    assert key.stat().st_mode & 0o077 == 0
    flip_a_byte(file)
    with pytest.raises(BackupFailed, match="is damaged, or sealed for another key"):
        unseal(file, key=key)


def test_a_key_is_never_written_over(folder: Path) -> None:
    key = (folder / "key.pem").read_bytes()
    for certificate in ("another.pem", "backups/certificate.pem"):
        with pytest.raises(BackupFailed, match="is there already"):
            make_key(folder / "key.pem", folder / certificate)
    assert (folder / "key.pem").read_bytes() == key


def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    made: Path, tmp_path: Path, own_mounts: tuple[str, ...]
) -> None:
    program = (
        "import sys; from pathlib import Path; from bankproject.backup.sealing import seal; "
        "from os import urandom; "
        "seal(urandom(1 << 20), Path(sys.argv[1]) / 'x.cms', certificate=Path(sys.argv[2]))"
    )
    script = 'mount -t tmpfs -o size=256k full "$1" && "$2" -c "$3" "$1" "$4"; ls -A "$1"'
    words = (str(tmp_path), sys.executable, program, str(made / "backups" / "certificate.pem"))
    done = subprocess.run(
        [*own_mounts, "sh", "-c", script, "sh", *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert f"the disk of {tmp_path} is full" in done.stderr
    assert done.stdout == ""


def test_what_nobody_needs_any_more_is_forgotten(folder: Path) -> None:
    repository = Repository(folder / "backups")
    now = BEGAN + timedelta(days=40)
    for days, number in ((9, 3), (20, 5), (39, 6)):
        name = f"day{days:02}"
        add_base(repository, name, start=f"0/{number:X}000028", ended=BEGAN + timedelta(days=days))
        if number > 3:
            add_segment(repository, number)
    (repository.of(NODE).bases / "broken-off").mkdir()
    repository.keep_mark(replace(MARK, began=now, ended=now))
    prune(repository, node=NODE, at=now, days=30)
    assert [base.name for base in repository.of(NODE).whole_bases()] == ["day09", "day20", "day39"]
    assert not (repository.of(NODE).bases / "broken-off").exists()
    left = [Segment.named(path.name, size=SIZE).number for path in repository.of(NODE).segments()]
    assert left == [3, 5, 6]
    assert repository.last_mark(until=BEGAN + timedelta(days=1)) is None
    assert repository.last_mark() is not None


def test_the_last_mark_before_a_time_is_found_and_half_a_line_is_none(folder: Path) -> None:
    repository = Repository(folder / "backups")
    later = replace(MARK, began=BEGAN + timedelta(days=1), ended=BEGAN + timedelta(days=1))
    repository.keep_mark(later)
    with (repository.marks_folder / f"{later.began.date()}.jsonl").open("a") as file:
        file.write('\n{"began": "2026-03-')
    assert repository.last_mark() == later
    assert repository.last_mark(until=BEGAN + timedelta(hours=1)) == MARK
    assert repository.last_mark(until=BEGAN) is None
    after = replace(later, ended=later.ended + timedelta(seconds=1))
    repository.keep_mark(after)
    assert repository.last_mark() == after


def test_the_last_mark_is_found_without_reading_the_day_before_it(folder: Path) -> None:
    repository = Repository(folder / "backups")
    (today,) = repository.marks_folder.glob("*.jsonl")
    os.truncate(today, 2**42)
    assert repository.last_mark(until=BEGAN - timedelta(days=1)) is None
    repository.keep_mark(MARK)
    assert repository.last_mark() == MARK


def test_a_mark_is_found_wherever_the_reading_begins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(folder / "backups")
    marks = [replace(MARK, ended=MARK.ended + timedelta(seconds=n)) for n in range(3)]
    for mark in marks:
        repository.keep_mark(mark)
    for size in range(1, 400):
        monkeypatch.setattr("bankproject.backup.repository._READ_BYTES", size)
        assert [repository.last_mark(until=mark.ended) for mark in marks] == marks


@pytest.mark.parametrize(
    ("noted", "complaint"),
    [
        ('{"system_identifier": 8}', "default is another server than the one in .*a new folder"),
        ('{"system_identifier": 7', "server.json is damaged; remove it if the server is still"),
        ('{"system": 7}', "server.json is damaged"),
        ("[]", "server.json is damaged"),
        ("", "server.json is damaged"),
    ],
)
def test_the_log_of_another_server_never_comes_into_the_folder_of_one(
    folder: Path, noted: str, complaint: str
) -> None:
    store = Repository(folder / "backups").of(NODE)
    store.refuse_other_server(7)
    note = store.folder / "server.json"
    note.write_text(noted)
    with pytest.raises(BackupFailed, match=complaint):
        store.refuse_other_server(7)
    assert note.read_text() == noted
    note.unlink()
    store.refuse_other_server(7)
    store.refuse_other_server(7)


def test_a_gap_in_the_log_asks_for_a_base_backup_until_there_is_one(folder: Path) -> None:
    repository = Repository(folder / "backups")
    store = repository.of(NODE)
    now = BEGAN + timedelta(days=1)
    add_base(repository, "fresh", start="0/3000028", ended=now)
    assert not is_base_due(store, at=now)
    store.note_gap()
    assert is_base_due(store, at=now)
    store.close_gap()
    assert not is_base_due(store, at=now)
    assert is_base_due(store, at=now + timedelta(days=1, seconds=1))


class TestCommand:
    def test_understands_what_the_guide_types(self) -> None:
        guide = (PROJECT / "docs" / "howto" / "backup.md").read_text("utf-8")
        typed = re.findall(r"^ *\$ \.venv/bin/python manage\.py backup (.*)$", guide, re.MULTILINE)
        assert {words.split()[0] for words in typed} == {
            *("configure", "keep", "run", "status", "restore")
        }
        parser = Command().create_parser("manage.py", "backup")
        for words in typed:
            assert parser.parse_args(words.split()).action == words.split()[0]

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["status"], "BACKUP_FOLDER is not set"),
            (["restore", "x", "--key", "k"], "BACKUP_FOLDER is not set"),
        ],
    )
    def test_says_which_setting_is_missing(
        self, settings: Settings, words: list[str], complaint: str
    ) -> None:
        settings.BACKUP_FOLDER = None
        with pytest.raises(CommandError, match=complaint):
            call_command("backup", *words)

    def test_says_what_is_not_configured(self, settings: Settings, tmp_path: Path) -> None:
        settings.BACKUP_FOLDER, settings.BACKUP_DATABASE = tmp_path, None
        with pytest.raises(CommandError, match="BACKUP_DATABASE_URL is not set"):
            call_command("backup", "run")
        settings.BACKUP_DATABASE = {"USER": "bank_backup", "PASSWORD": "secret"}
        with pytest.raises(CommandError, match="has no certificate; run"):
            call_command("backup", "run")

    def test_refuses_a_time_without_an_offset_and_one_before_all_marks(
        self, settings: Settings, folder: Path
    ) -> None:
        settings.BACKUP_FOLDER = folder / "backups"
        words = ("backup", "restore", str(folder / "target"), "--key", str(folder / "key.pem"))
        for text in ("yesterday", "2026-03-02T09:30", "2026-13-02T09:30Z"):
            with pytest.raises(CommandError, match="--time must have a date, a time and an off"):
                call_command(*words, "--time", text)
        with pytest.raises(CommandError, match="no point to restore all nodes to so early"):
            call_command(*words, "--time", "2026-03-01T00:00:00Z")
        with pytest.raises(CommandError, match="there are no backups of MUM; there are of defau"):
            call_command(*words, "--node", "MUM")

    @pytest.mark.django_db
    def test_tells_what_is_wrong_and_exits_so(
        self, settings: Settings, folder: Path, server_as_backup: dict[str, str]
    ) -> None:
        settings.BACKUP_FOLDER, settings.BACKUP_DATABASE = folder / "backups", server_as_backup
        out = io.StringIO()
        with pytest.raises(SystemExit):
            call_command("backup", "status", "--json", stdout=out)
        found = json.loads(out.getvalue())
        assert found["nodes"][0]["is_received"] is False
        assert found["nodes"][0]["is_encrypted"] is True
        wrong = "\n".join(found["wrong"])
        assert "default has a base backup that is" in wrong
        assert "nobody receives the log of default" in wrong
        assert "the last point to which all nodes can be restored is" in wrong
        assert server_as_backup["PASSWORD"] not in out.getvalue()
        with pytest.raises(SystemExit):
            call_command("backup", "status", stdout=out)
        assert f" {found['nodes'][0]['sealed_segment']} " in out.getvalue()
        with pytest.raises(CommandError, match="nobody receives the log of default"):
            call_command("backup", "run")


@pytest.fixture
def server_as_backup() -> dict[str, str]:
    """Return as whom this run's server is backed up."""
    from tests.servers import test_server

    return {"USER": "bank_backup", "PASSWORD": test_server().password}
