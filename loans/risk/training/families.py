"""The kinds of models that are compared, and what of each is tuned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

Grid = Mapping[str, Sequence[Any]]

# From this many loans on there is enough to learn from for large trees.
_MANY: Final = 3_000
_SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of model: how a fresh one is made, and the parameters to try."""

    name: str
    make: Callable[[], Any]
    grid: Grid


def families_for(loans: int) -> list[Family]:
    """Return the families to compare on so many loans; the logistic one is the baseline."""
    many = loans >= _MANY
    # A third of the loans outside each fold is what models are tuned by: about half of all is left.
    neighbours = tuple(number for number in (5, 25, 50) if number <= loans // 2)
    return [
        Family(name="logistic", make=_logistic, grid={"model__C": (0.003, 0.01, 0.03, 0.1, 0.3)}),
        Family(name="neighbours", make=_neighbours, grid={"model__n_neighbors": neighbours}),
        Family(name="naive_bayes", make=_naive_bayes, grid={"model__var_smoothing": (1e-9, 0.1)}),
        Family(name="tree", make=_tree, grid={"model__min_samples_leaf": (10, 25)}),
        Family(
            name="forest",
            make=lambda: _forest(many=many),
            grid={"model__max_features": (0.3,) if many else (0.15, 0.3)},
        ),
        Family(
            name="boosting",
            make=lambda: _boosting(many=many),
            grid={"max_depth": (8,) if many else (2, 3)},
        ),
        Family(name="blend", make=lambda: _blend(many=many), grid={"logistic__model__C": (0.01,)}),
    ]


def serving_copy(classifier: Any) -> Any:
    """Return a fitted classifier that uses one thread: a score waits for no others."""
    threads = [name for name in classifier.get_params() if name.split("__")[-1] == "n_jobs"]
    return classifier.set_params(**dict.fromkeys(threads, 1))


def _pipeline(*steps: tuple[str, Any]) -> Pipeline:
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    return Pipeline([("imputer", imputer), *steps])


def _logistic() -> Pipeline:
    model = LogisticRegression(max_iter=2_000)
    return _pipeline(("scaler", StandardScaler()), ("model", model))


def _neighbours() -> Pipeline:
    return _pipeline(("scaler", StandardScaler()), ("model", KNeighborsClassifier()))


def _naive_bayes() -> Pipeline:
    return _pipeline(("scaler", StandardScaler()), ("model", GaussianNB()))


def _tree() -> Pipeline:
    return _pipeline(("model", DecisionTreeClassifier(max_depth=8, random_state=_SEED)))


def _forest(*, many: bool) -> Pipeline:
    model = RandomForestClassifier(
        n_estimators=100,
        min_samples_leaf=1 if many else 5,
        max_features=0.3 if many else 0.15,
        n_jobs=2 if many else 1,
        random_state=_SEED,
    )
    return _pipeline(("model", model))


def _boosting(*, many: bool) -> XGBClassifier:
    return XGBClassifier(
        n_estimators=400 if many else 300,
        max_depth=8 if many else 3,
        learning_rate=0.07 if many else 0.03,
        subsample=0.8 if many else 0.7,
        colsample_bytree=0.5 if many else 0.3,
        reg_lambda=1 if many else 5,
        min_child_weight=1 if many else 3,
        # Its threads wait by spinning: on a busy machine two take forty times as long as one.
        n_jobs=1,
        random_state=_SEED,
    )


def _blend(*, many: bool) -> VotingClassifier:
    """Make the mean of three that err differently."""
    parts = [
        ("logistic", _logistic()),
        ("forest", _forest(many=many)),
        ("boosting", _boosting(many=many)),
    ]
    return VotingClassifier(parts, voting="soft")
