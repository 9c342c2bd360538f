"""How transfers between nodes end, and what is said of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError
from django.utils.translation import gettext as _

from core.errors import DomainError
from transactions.branches.registry import HEAD_OFFICE


class BranchDown(DomainError):
    """A branch does not answer. Nothing was moved."""

    code = "branch_unavailable"
    http_status = 503

    def __init__(self, node: str) -> None:
        if node == HEAD_OFFICE:
            message = _("The head office cannot be reached just now. Nothing was sent.")
        else:
            message = _("The branch %(branch)s cannot be reached just now. Nothing was sent.")
        super().__init__(message % {"branch": node})
        self.node = node


class OutcomeUnknown(DomainError):
    """The answer was lost where the transfer is decided: it was made, or it was not."""

    code = "outcome_unknown"
    http_status = 503

    def __init__(self) -> None:
        super().__init__(
            _(
                "We do not know yet whether the transfer was made. Please look again in a moment, "
                "or send the same request again: it is never made twice."
            )
        )


@contextmanager
def silence_named(node: str) -> Iterator[None]:
    """Say of a posting on one node that fails for lack of an answer whether anything was asked.

    Raises:
        BranchDown: the node could not even be asked.
        OutcomeUnknown: it fell silent meanwhile; the same request sent again tells.
    """
    try:
        yield
    except OperationalError as error:
        # Django's own is of connecting; what fails later is psycopg's.
        raise BranchDown(node) from error
    except psycopg.OperationalError as error:
        raise OutcomeUnknown from error
