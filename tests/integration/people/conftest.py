"""What tests of people share."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db.models import Model

from accounts import approvals
from accounts.approvals import approvable
from accounts.models.audit_entries import AuditEntry

TRY = "tests.try"


class Tries:
    """An action that notes how it was called, and fails as it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Mapping[str, Any], int, int]] = []
        self.error: Exception | None = None

    def __call__(self, payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
        self.calls.append((payload, maker, checker))
        if self.error is not None:
            raise self.error
        return {"tries": len(self.calls)}


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Tries:
    """Give an action that can be asked for."""
    monkeypatch.setattr(approvals, "_actions", {})
    action = Tries()
    approvable(TRY, about=lambda payload: payload.get("about", ()))(action)
    return action


def entries_of(changed: Model) -> list[AuditEntry]:
    """Return the audit of a person or a thing, oldest first."""
    found = AuditEntry.objects.tracks(changed)  # type: ignore[no-untyped-call]
    return list(found.order_by("pgh_id"))
