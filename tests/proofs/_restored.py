"""A bank that is backed up under load, and what must stand in it once it is restored."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

from bankproject.backup.repository import Repository
from bankproject.runtime.postgres import SUPERUSER, wait_until_ready
from bankproject.runtime.programs import server_name
from tests.faults._checker import check
from tests.faults._ending import ending_of
from tests.faults._history import History, Outcome, Sending
from tests.faults._judge import BANK
from tests.faults._laboratory import PROJECT, Laboratory, Template, around, new_folder
from tests.faults._nodes import DATABASE, REPLICA, LabNode, running_nodes
from transactions.branches.marks import Mark

PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A transfer that a client asked for, when, and when it was told what; None: never."""

    sending: Sending
    asked_at: float
    answered_at: float | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A folder of backups, and the key that opens them."""

    repository: Repository
    key: Path

    def of(self, lab: Laboratory) -> Laboratory:
        """Return a laboratory whose commands know the folder."""
        settings = {"BACKUP_FOLDER": str(self.repository.folder)}
        return replace(lab, environment={**lab.environment, **settings})

    def wait_for_mark(self, *, after: float) -> Mark:
        """Return the first mark that was begun after an instant, soon.

        Raises:
            TimeoutError: there is none.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            mark = self.repository.last_mark()
            if mark is not None and mark.began.timestamp() > after:
                return mark
            time.sleep(0.05)
        message = "no mark was set"
        raise TimeoutError(message)


@contextmanager
def keeping(lab: Laboratory) -> Iterator[Popen[str]]:
    """Run `manage.py backup keep`; it is told to stop in the end."""
    with lab.program(str(PROJECT / "manage.py"), "backup", "keep", name="backup") as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def asked_in(notes: Iterable[Path]) -> list[Asked]:
    """Return what the clients asked for, and when."""
    asked: dict[str, Asked] = {}
    for file in notes:
        for line in file.read_text("utf-8").splitlines():
            words = json.loads(line)
            if "asked" in words:
                asked[words["asked"]] = Asked(
                    sending=_sending(words), asked_at=words["at"], answered_at=None
                )
            elif "answered" in words:
                known = asked[words["answered"]]
                asked[known.sending.key] = Asked(
                    sending=replace(known.sending, outcome=Outcome(words["outcome"])),
                    asked_at=known.asked_at,
                    answered_at=words["at"],
                )
    return list(asked.values())


def _sending(words: dict[str, Any]) -> Sending:
    return Sending(
        key=words["asked"],
        debit=words["debit"],
        credit=words["credit"],
        amount=words["amount"],
        outcome=Outcome.INFO,
    )


def as_of(asked: Iterable[Asked], mark: Mark) -> tuple[Sending, ...]:
    """Return what must stand in the books at a mark.

    What was answered before it, not what was asked after it; of what was under way all or nothing.
    """
    return tuple(replace(each.sending, outcome=_owed(each, mark)) for each in asked)


def _owed(asked: Asked, mark: Mark) -> Outcome:
    if asked.asked_at > mark.ended.timestamp():
        return Outcome.FAIL
    if asked.answered_at is not None and asked.answered_at < mark.began.timestamp():
        return asked.sending.outcome
    return Outcome.FAIL if asked.sending.outcome is Outcome.FAIL else Outcome.INFO


@contextmanager
def restored(kept: Kept, lab: Laboratory, opened: Template, mark: Mark) -> Iterator[Laboratory]:
    """Restore all nodes to a mark with the bank's own command, and let them run for a while.

    ``lab`` runs no more: the nodes have its addresses.
    """
    folder = new_folder()
    try:
        with _running(kept, lab, opened, mark, folder) as again:
            yield again
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(
    kept: Kept, lab: Laboratory, opened: Template, mark: Mark, folder: Path
) -> Iterator[Laboratory]:
    kept.of(lab).manage(
        *("backup", "restore", str(folder), "--key", str(kept.key)),
        *("--time", mark.ended.isoformat()),
    )
    for alias in mark.places:
        (folder / server_name(alias)).rename(folder / alias)
    subprocess.run(["cp", "-a", str(opened.folder / REPLICA), str(folder)], check=True)
    with running_nodes(folder, password=opened.password, ports=opened.ports) as nodes:
        again = around(nodes, folder=folder)
        for node in again.nodes.values():
            wait_for(node)
        yield again


def wait_for(node: LabNode) -> None:
    """Return when a node has replayed its log."""
    url = node.cluster.url(database=DATABASE, role=SUPERUSER, password=node.password)
    wait_until_ready(url, seconds=PATIENCE_SECONDS)


def settle_and_check(
    lab: Laboratory, sendings: tuple[Sending, ...], *, is_copied: bool
) -> tuple[list[str], int]:
    """Settle what is in doubt at a restored bank; return what is wrong and how much was settled.

    What the replica has is of no use any more: it copies anew, or is left out.
    """
    asked = lab if is_copied else _without_replica(lab)
    swept = json.loads(asked.manage("sweep"))
    settled = swept["committed"] + swept["rolled_back"]
    if is_copied:
        asked.manage("resync_replica")
    ending = ending_of(asked, healed_at=time.monotonic(), is_busy=lambda: False, has_copy=is_copied)
    wrong = [str(each) for each in check(History(sendings=sendings), ending, bank=BANK)]
    return [*wrong, *_complaint(lambda: asked.manage("check_books"))], settled


def _without_replica(lab: Laboratory) -> Laboratory:
    environment = {
        name: value for name, value in lab.environment.items() if name != "REPLICA_DATABASE_URL"
    }
    return replace(lab, environment=environment)


def _complaint(work: Callable[[], object]) -> list[str]:
    try:
        work()
    except RuntimeError as error:
        return [str(error)]
    return []


def count_of(sendings: Iterable[Sending]) -> int:
    """Return how many of them must be in the books."""
    return sum(sending.outcome is Outcome.OK for sending in sendings)


def kept_of(lab: Laboratory, folder: Path) -> Kept:
    """Configure backups into a folder with the bank's own command."""
    kept = Kept(repository=Repository(folder / "backups"), key=folder / "key.pem")
    kept.of(lab).manage("backup", "configure", "--key", str(kept.key))
    return kept


def burn(lab: Laboratory, kept: Kept, alias: str) -> None:
    """Let a node's server burn with its data, and restore it as far as its log has come in."""
    node = lab.nodes[alias]
    node.crash()
    shutil.rmtree(node.cluster.folder)
    target = lab.folder / "restored"
    kept.of(lab).manage("backup", "restore", str(target), "--key", str(kept.key), "--node", alias)
    (target / server_name(alias)).rename(node.cluster.folder)
    node.cluster.start()
    wait_for(node)
