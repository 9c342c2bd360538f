"""Which model serves: the registry of the bank's own, and appointing by two admins."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.models import Approval
from core import clock
from core.errors import DomainError
from loans.risk.fairness import GroupFigures
from loans.risk.features import NAMES
from loans.risk.models import RiskAppointment, RiskModel, RiskModelFile, TrainingData
from loans.risk.registry import (
    Entry,
    ModelUnfit,
    Role,
    StoredModel,
    entry_in,
    model_in,
    stored_files,
)

APPOINT: Final = "loans.appoint_risk_model"
MANAGE: Final = "loans.manage_risk"
SEE: Final = "loans.view_riskmodel"


class UnknownRiskModel(DomainError):
    """There is no such model."""

    code = "unknown_risk_model"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such model."))


def register(
    folder: Path,
    digest: str,
    *,
    data: TrainingData,
    bias: Mapping[str, Sequence[GroupFigures]],
) -> RiskModel:
    """Keep a model of a folder in the bank's registry; it serves nobody yet. Again is harmless.

    Raises:
        ModelUnfit: a file is missing or altered, or it expects what no application here has.
    """
    written, classifier = stored_files(folder, digest)
    entry = entry_in(written, digest)
    if [column.name for column in entry.columns] != list(NAMES):
        message = f"the model {digest} expects other figures than applications have"
        raise ModelUnfit(message)
    figures = {over: [asdict(group) for group in groups] for over, groups in bias.items()}
    with transaction.atomic():
        model, is_new = RiskModel.objects.get_or_create(
            digest=digest,
            defaults={
                "data": data,
                "family": entry.family,
                "loans": entry.loans,
                "bad": entry.bad,
                "auc": entry.metrics["chosen"]["auc"],
                "bias": figures,
                "trained_at": datetime.fromisoformat(entry.trained_at),
            },
        )
        if is_new:
            RiskModelFile.objects.create(model=model, entry=written, classifier=classifier)
    return model


def serving(role: Role) -> RiskModel | None:
    """Return the model that serves in a role, if any."""
    last = RiskAppointment.objects.filter(role=role).select_related("model").first()
    return last.model if last else None


def loaded(model: RiskModel) -> StoredModel:
    """Return a model ready to score; the first time in a process takes seconds.

    Raises:
        ModelUnfit: it is missing, or not what was stored.
    """
    return _loaded(model.digest)


def entry_of(model: RiskModel) -> Entry:
    """Return what is known of a model, without loading it.

    Raises:
        ModelUnfit: it is missing, or not what was stored.
    """
    return entry_in(bytes(_file(model.digest).entry), model.digest)


def ask_appointment(model: int, *, role: Role, maker: int, reason: str) -> Approval:
    """Ask that a model serves in a role from now on; another admin must approve.

    Raises:
        UnknownRiskModel
        InvalidText: the reason is empty, too long, or not one line.
    """
    found = RiskModel.objects.filter(pk=model).first()
    if found is None:
        raise UnknownRiskModel
    payload = {"role": str(role), "model": found.pk, "digest": found.digest}
    return ask_approval(maker=maker, action=APPOINT, payload=payload, reason=reason)


def appoint_model(  # who serves as what, by whom, why and when
    model: RiskModel,
    *,
    role: Role,
    reason: str,
    now: datetime,
    asked_by: int | None = None,
    approved_by: int | None = None,
) -> RiskAppointment:
    """Let a model serve in a role; one that was only watched is not watched any more.

    Raises:
        ModelUnfit: it is missing, or not what was stored.
    """
    model_in(*_contents(model.digest), model.digest)
    told = {"reason": reason, "asked_by_id": asked_by, "approved_by_id": approved_by}
    with transaction.atomic():
        if role == Role.CHAMPION and serving(Role.CHALLENGER) == model:
            RiskAppointment.objects.create(role=Role.CHALLENGER, appointed_at=now, **told)
        return RiskAppointment.objects.create(role=role, model=model, appointed_at=now, **told)


def _role_changed(payload: Mapping[str, Any]) -> Collection[str]:
    return [payload["role"]]


@approvable(APPOINT, about=_role_changed)
def _appoint(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
    model = RiskModel.objects.get(pk=payload["model"])
    reason = Approval.objects.get(pk=int(payload["approval"])).reason
    done = appoint_model(
        model,
        role=Role(payload["role"]),
        reason=reason,
        asked_by=maker,
        approved_by=checker,
        now=clock.now(),
    )
    return {"appointment": done.pk}


@lru_cache(maxsize=4)
def _loaded(digest: str) -> StoredModel:
    return model_in(*_contents(digest), digest)


def _contents(digest: str) -> tuple[bytes, bytes]:
    file = _file(digest)
    return bytes(file.entry), bytes(file.classifier)


def _file(digest: str) -> RiskModelFile:
    found = RiskModelFile.objects.filter(model__digest=digest).first()
    if found is None:
        message = f"the model {digest} is not there"
        raise ModelUnfit(message)
    return found
