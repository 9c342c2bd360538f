"""`manage.py watch` with a flaw in its sweep, to show that the checker notices. Word: the flaw."""

import sys
from typing import Final
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402  # needs Django set up

from tests.faults._programs import NO_FENCE  # noqa: E402  # as above
from transactions.branches import recovery  # noqa: E402  # as above

_settle: Final = recovery._settle  # noqa: SLF001  # what is broken is inside
_in_doubt_on: Final = recovery._in_doubt_on  # noqa: SLF001  # as above


def decided_without_fence(source: str, crossing: UUID, attempt: int) -> recovery.Decision | None:
    """Take a decision that is not there yet for one that will never be."""
    answer = recovery._ask(source, ("decision", (crossing, attempt)))  # noqa: SLF001  # as above
    if not answer.is_good:
        return None
    return "committed" if answer.row == ("committed",) else "aborted"


def in_doubt_at_once(node: str, older_than: float) -> list[recovery.InDoubt] | None:
    """Look at transactions of any age: the flaw must show before a stalled source gives up."""
    del older_than
    return _in_doubt_on(node, 0.0)


class SkippingOne:
    """Settles all but the first transaction it sees."""

    def __init__(self) -> None:
        """Skip none so far."""
        self._skipped: str | None = None

    def settle(self, doubt: recovery.InDoubt) -> recovery.Decision | None:
        """Settle, unless it is the one."""
        self._skipped = self._skipped or doubt.gid
        return None if doubt.gid == self._skipped else _settle(doubt)


def main() -> None:
    """Break the sweep, and watch."""
    (flaw,) = sys.argv[1:]
    if flaw == NO_FENCE:
        recovery._decided = decided_without_fence  # noqa: SLF001  # as above
        recovery._in_doubt_on = in_doubt_at_once  # noqa: SLF001  # as above
    else:
        recovery._settle = SkippingOne().settle  # noqa: SLF001  # as above
    call_command("watch")


if __name__ == "__main__":
    main()
