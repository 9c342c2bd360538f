"""Where trained models stand: a file of skops, an entry that tells its digest, and who serves.

A folder holds one set of models. ``champion.json`` and ``challenger.json`` name an entry by its
digest, the entry names the model's: whatever was altered is found, and nothing of it is loaded.
Pickle is never read. Those that may score the bank's own applications stand in its database, too.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from loans.risk.columns import Column, column_from

# What skops does not know by itself; anything else in a file is refused.
_TRUSTED: Final = frozenset(
    {
        "numpy.dtype",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
    }
)


class ModelUnfit(DomainError):
    """A model is not there, or is not what was stored, so it scores nobody."""

    code = "model_unfit"


class Role(TextChoices):
    """Who decides, and who is only watched."""

    CHAMPION = "champion", _("champion")
    CHALLENGER = "challenger", _("challenger")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a trained model.

    A score is ``slope`` times its log-odds + ``intercept``. Above ``weak_from`` an application is
    weak, above ``fair_from`` fair. ``score_edges`` and ``score_shares`` are how probabilities
    were spread when it was trained; ``seen`` are the ids of the loans it learned from.
    """

    name: str
    trained_at: str
    code_version: str
    data_fingerprint: str
    family: str
    parameters: Mapping[str, Any]
    loans: int
    bad: int
    metrics: Mapping[str, Any]
    columns: Sequence[Column]
    slope: float
    intercept: float
    fair_from: float
    weak_from: float
    score_edges: Sequence[float]
    score_shares: Sequence[float]
    seen: Sequence[str]
    model_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model that is what was stored, ready to score."""

    entry: Entry
    classifier: Any


def store(folder: Path, entry: Entry, classifier: Any) -> str:
    """Store a model, which serves nobody yet; return its entry's digest."""
    from skops.io import dumps

    folder.mkdir(parents=True, exist_ok=True)
    content = dumps(classifier)
    entry = replace(entry, model_digest=_digest(content))
    _write(folder / f"{entry.model_digest}.skops", content)
    written = json.dumps(asdict(entry), indent=1).encode()
    digest = _digest(written)
    _write(folder / f"{digest}.json", written)
    return digest


def appoint(folder: Path, digest: str, *, role: Role) -> None:
    """Let the model of an entry serve in a role from now on.

    Whoever reads meanwhile finds the old one or the new one, whole.
    """
    _write(folder / f"{role}.json", json.dumps({"entry": digest}).encode())


def appointed(folder: Path, role: Role) -> str | None:
    """Return the digest of the entry that serves in a role, None if none does.

    Raises:
        ModelUnfit
    """
    path = folder / f"{role}.json"
    try:
        return str(json.loads(path.read_bytes())["entry"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} names no model"
        raise ModelUnfit(message) from error


def load(folder: Path, role: Role) -> StoredModel:
    """Return the model that serves in a role.

    Raises:
        ModelUnfit: there is none, or a file is missing or altered.
    """
    digest = appointed(folder, role)
    if digest is None:
        message = f"no {role} is in {folder}; `manage.py train_risk` trains one"
        raise ModelUnfit(message)
    return _load(folder, digest)


def stored_files(folder: Path, digest: str) -> tuple[bytes, bytes]:
    """Return a model's entry and the model itself, as bytes.

    Raises:
        ModelUnfit: a file is missing, or the entry was altered.
    """
    written = _read(folder / f"{digest}.json")
    return written, _read(folder / f"{entry_in(written, digest).model_digest}.skops")


def entry_in(written: bytes, digest: str) -> Entry:
    """Return what is known of a model, if that is what was stored under the digest.

    Raises:
        ModelUnfit: it was altered.
    """
    _refuse_altered(written, digest, f"{digest}.json")
    stored = json.loads(written)
    return Entry(**{**stored, "columns": [column_from(column) for column in stored["columns"]]})


def model_in(written: bytes, content: bytes, digest: str) -> StoredModel:
    """Return a model that is ready to score, if both are what was stored under the digest.

    Raises:
        ModelUnfit: one was altered, or holds what is not trusted.
    """
    entry = entry_in(written, digest)
    _refuse_altered(content, entry.model_digest, f"{entry.model_digest}.skops")
    return StoredModel(entry=entry, classifier=_classifier(content))


@lru_cache(maxsize=4)
def _load(folder: Path, digest: str) -> StoredModel:
    return model_in(*stored_files(folder, digest), digest)


def _classifier(content: bytes) -> Any:
    from skops.io import get_untrusted_types, loads

    unknown = set(get_untrusted_types(data=content))
    if not unknown <= _TRUSTED:
        message = f"the model holds what is not trusted: {', '.join(sorted(unknown - _TRUSTED))}"
        raise ModelUnfit(message)
    return loads(content, trusted=sorted(unknown))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise ModelUnfit(message) from error


def _refuse_altered(content: bytes, digest: str, name: str) -> None:
    if _digest(content) != digest:
        message = f"{name} was altered: its digest is not the stored one"
        raise ModelUnfit(message)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
