"""Forgetting backups that nobody needs any more."""

import shutil
from datetime import datetime, timedelta

import structlog

from bankproject.backup.repository import SEALED, Base, Repository, Segment, Store

_log = structlog.get_logger(__name__)


def prune(repository: Repository, *, node: str, at: datetime, days: int) -> None:
    """Remove what is not needed to restore a node to any point of the last ``days`` days.

    Kept are the base backups of that time and the newest one before it, with the log since.
    """
    store = repository.of(node)
    begin = at - timedelta(days=days)
    bases = store.whole_bases()
    older = [base for base in bases if base.ended <= begin]
    for base in older[:-1]:
        shutil.rmtree(store.bases / base.name)
    _forget_unfinished(store, bases)
    kept = bases[max(len(older) - 1, 0) :]
    if kept:
        _forget_log(store, first=kept[0])
    repository.forget_marks(before=begin.date())


def _forget_unfinished(store: Store, bases: list[Base]) -> None:
    """Remove base backups that broke off: whoever took them is gone."""
    whole = {base.name for base in bases}
    for folder in store.bases.iterdir():
        if folder.name not in whole:
            shutil.rmtree(folder)


def _forget_log(store: Store, *, first: Base) -> None:
    size = first.segment_bytes
    needed = Segment.at(first.start, first.timeline, size=size).number
    for path in store.segments():
        try:
            segment = Segment.named(path.name.removesuffix(SEALED), size=size)
        except ValueError:
            # A timeline's history is small, and needed for good.
            continue
        if segment.number < needed:
            path.unlink()
            _log.info("log_segment_forgotten", segment=path.name)
