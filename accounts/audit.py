"""The audit: each change to people and settings, with what it was before, and who made it.

PostgreSQL's triggers write it, so that nothing gets round it: neither bulk changes nor SQL. Who
makes a change is told by ``acting``; without, it is the bank itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import pghistory
import pgtrigger
from django.db import models

AnyModel = TypeVar("AnyModel", bound=models.Model)

APPEND_ONLY: Final = pgtrigger.Protect(
    name="append_only", operation=pgtrigger.Update | pgtrigger.Delete
)
"""The trigger of a table in which rows are written once; ``bank_app`` lacks the rights, too."""


def audited(
    *, exclude: Sequence[str] = (), **options: Any
) -> Callable[[type[AnyModel]], type[AnyModel]]:
    """Return a decorator of models whose rows are audited, but for the fields in ``exclude``.

    Each has a table of events of its own, in which nothing is changed or deleted.
    """
    track: Callable[[type[AnyModel]], type[AnyModel]] = pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        exclude=list(exclude),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,  # type: ignore[arg-type]  # None is as documented
        append_only=True,
        **options,
    )
    return track


@contextmanager
def acting(
    *, by: int | None, credential: str, reason: str = "", address: str = "", device: str = ""
) -> Iterator[None]:
    """Note for the length of the block who changes people, by which credential, and why.

    ``address`` and ``device`` say from where; they stand with changes of credentials.
    """
    known = {
        "by": by,
        "credential": credential,
        "reason": reason,
        "address": address,
        "device": device,
    }
    with pghistory.context(**{name: value for name, value in known.items() if value}):
        yield
