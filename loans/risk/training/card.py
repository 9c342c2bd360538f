"""The model card: what a model is for, what it is made of, how good and how fair it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loans.risk.fairness import LEAST_RATIO, GroupFigures
from loans.risk.registry import Entry

_FIGURES: Final = ("auc", "gini", "ks", "accuracy", "f1", "brier")


def written_card(entry: Entry, bias: Mapping[str, Sequence[GroupFigures]]) -> str:
    """Return the card in Markdown."""
    return "\n\n".join(
        [
            f"# Risk model {entry.name}: {entry.family}",
            _origin(entry),
            (
                "Its scores help people who decide about loans. It decides nothing alone, and says"
                " nothing where figures are missing or beyond those it has learned from."
            ),
            f"## Figures of loans it had not seen\n\n{_figures(entry)}",
            _explanation(entry),
            f"## Fairness\n\n{_fairness(bias)}",
            "## Pictures\n\n" + "\n".join(f"![{n}]({n}.png)" for n in _PICTURES),
        ]
    )


_PICTURES: Final = ("roc", "calibration", "scores", "effects")


def _origin(entry: Entry) -> str:
    return "\n".join(
        [
            f"- Trained: {entry.trained_at}, code {entry.code_version}",
            f"- Loans: {entry.loans}, of them bad: {entry.bad}",
            f"- Data: SHA-256 {entry.data_fingerprint}",
            f"- Parameters: {dict(entry.parameters)}",
            f"- Bands: fair from {entry.fair_from:.3f}, weak from {entry.weak_from:.3f}",
        ]
    )


def _figures(entry: Entry) -> str:
    head = "| family | loans | bad | " + " | ".join(_FIGURES) + " |"
    rule = "|---" * (3 + len(_FIGURES)) + "|"
    lines = [
        f"| {family} | {entry.loans} | {entry.bad} | "
        + " | ".join(_with_interval(found, name) for name in _FIGURES)
        + " |"
        for family, found in entry.metrics.items()
    ]
    return "\n".join([head, rule, *lines])


def _with_interval(found: Mapping[str, Any], name: str) -> str:
    low, high = found["intervals"][name]
    return f"{found[name]:.3f} ({low:.3f} to {high:.3f})"


def _explanation(entry: Entry) -> str:
    return (
        "`chosen` is the whole procedure, the choice of a family inside each training fold"
        f" included. This model is the family it chose on all loans: {entry.family}. Intervals"
        " hold 95 % of 200 draws of the loans; tuning never saw the loans that a figure is of."
    )


def _fairness(bias: Mapping[str, Sequence[GroupFigures]]) -> str:
    if not bias:
        return "The data do not say whom the loans were lent to."
    head = "| over | group | loans | bad | let through | adverse-impact ratio | |\n" + "|---" * 7
    lines = [
        f"| {over} | {each.group} | {each.loans} | {each.bad} | {each.let_through:.1%} |"
        f" {each.adverse_impact_ratio:.2f} | {f'below {LEAST_RATIO}' if each.alarm else ''} |"
        for over, groups in bias.items()
        for each in groups
    ]
    return "\n".join([head + "|", *lines])
