"""Two public sets of loans that models are compared on: German credit and HMEQ.

Sex, family status and nationality are no features; fairness is measured over them.
"""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from loans.risk.columns import Value
from loans.risk.training.datasets import Loans
from transactions.imports.tables import BadField, UnreadableFile, one_of, read_table

_PERSONAL: Final = ("personal_status_and_sex", "foreign_worker")
_GERMAN_NUMBERS: Final = (
    "duration_in_month",
    "credit_amount",
    "installment_rate_in_percentage_of_disposable_income",
    "present_residence_since",
    "age_in_years",
    "number_of_existing_credits_at_this_bank",
    "number_of_people_being_liable_to_provide_maintenance_for",
)
# Answers that stand in an order, the worst first: one number tells more than four flags.
_ORDERED: Final = {
    "status_of_existing_checking_account": (
        "... < 0 DM",
        "0 <= ... < 200 DM",
        "... >= 200 DM / salary assignments for at least 1 year",
        "no checking account",
    ),
    "savings_account_and_bonds": (
        "... < 100 DM",
        "100 <= ... < 500 DM",
        "500 <= ... < 1000 DM",
        "... >= 1000 DM",
        "unknown/ no savings account",
    ),
    "present_employment_since": (
        "unemployed",
        "... < 1 year",
        "1 <= ... < 4 years",
        "4 <= ... < 7 years",
        "... >= 7 years",
    ),
    "credit_history": (
        "no credits taken/ all credits paid back duly",
        "all credits at this bank paid back duly",
        "existing credits paid back duly till now",
        "delay in paying off in the past",
        "critical account/ other credits existing (not at this bank)",
    ),
    "property": (
        "real estate",
        "building society savings agreement/ life insurance",
        "car or other, not in attribute Savings account/bonds",
        "unknown / no property",
    ),
}
_HMEQ_WORDS: Final = ("REASON", "JOB")
_USUAL_LOG: Final = 7.7
_YOUNG: Final = 26
_ADULT: Final = 40
_LONG: Final = 24
_SHORT: Final = 12
_LARGE: Final = 8_000


def german_loans(path: Path) -> Loans:
    """Return the loans of German credit.

    Raises:
        UnreadableFile
    """
    rows = _rows(path, target="creditability", outcomes=("good", "bad"))
    parsed = _parsed(path, rows, german_features)
    return Loans(
        name="german",
        ids=[str(number) for number in range(1, len(rows) + 1)],
        rows=parsed,
        bad=[row["creditability"] == "bad" for row in rows],
        parts=[0] * len(rows),
        groups={
            "age": [_age_group(row["age_in_years"]) for row in rows],
            "gender": [row["personal_status_and_sex"].split(" ")[0] for row in rows],
        },
    )


def hmeq_loans(path: Path) -> Loans:
    """Return the home equity loans of HMEQ.

    Raises:
        UnreadableFile
    """
    rows = _rows(path, target="BAD", outcomes=("0", "1"))
    return Loans(
        name="hmeq",
        ids=[str(number) for number in range(1, len(rows) + 1)],
        rows=_parsed(path, rows, hmeq_features),
        bad=[row["BAD"] == "1" for row in rows],
        parts=[0] * len(rows),
    )


def german_features(row: Mapping[str, str]) -> dict[str, Value]:
    """Return the features of a line of German credit.

    Raises:
        BadField
    """
    features: dict[str, Value] = {}
    for name, text in row.items():
        if name in _GERMAN_NUMBERS:
            features[name] = _number(text, field=name)
        elif name not in (*_PERSONAL, "creditability"):
            features[name] = text
        if name in _ORDERED:
            features[f"{name}_in_order"] = float(
                _ORDERED[name].index(one_of(text, _ORDERED[name], field=name))
            )
    return {**features, **_german_ratios(row)}


def _german_ratios(row: Mapping[str, str]) -> dict[str, Value]:
    amount = _above_zero(row["credit_amount"], field="credit_amount")
    months = _above_zero(row["duration_in_month"], field="duration_in_month")
    age = _above_zero(row["age_in_years"], field="age_in_years")
    rate = "installment_rate_in_percentage_of_disposable_income"
    return {
        "log_loanamount": math.log(amount),
        "log_instalment": math.log(amount / months),
        "log_months": math.log(months),
        "log_age": math.log(age),
        "income": amount / months / _above_zero(row[rate], field=rate),
        "unusual_amount": abs(math.log(amount) - _USUAL_LOG),
        "long": float(months > _LONG),
        "short": float(months <= _SHORT),
        "large": float(amount > _LARGE),
        "very_young": float(age < _YOUNG),
    }


def hmeq_features(row: Mapping[str, str]) -> dict[str, Value]:
    """Return the features of a line of HMEQ; an empty field is unknown, which tells something.

    Raises:
        BadField
    """
    return {
        name: text or "unknown" if name in _HMEQ_WORDS else _number(text, field=name)
        for name, text in row.items()
        if name != "BAD"
    }


def _rows(path: Path, *, target: str, outcomes: Sequence[str]) -> list[dict[str, str]]:
    columns = _header(path)
    if target not in columns:
        message = f"{path}: the column {target} is missing"
        raise UnreadableFile(message)
    rows = []
    for line in read_table(path, columns=columns):
        if len(line.fields) != len(columns):
            message = f"{path}, line {line.number}: {len(columns)} fields are expected"
            raise UnreadableFile(message)
        row = dict(zip(columns, line.fields, strict=True))
        if row[target] not in outcomes:
            message = f"{path}, line {line.number}, {target}: expected {' or '.join(outcomes)}"
            raise UnreadableFile(message)
        rows.append(row)
    return rows


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read {path}: {error}"
        raise UnreadableFile(message) from error


def _parsed(
    path: Path,
    rows: Sequence[Mapping[str, str]],
    features: Callable[[Mapping[str, str]], dict[str, Value]],
) -> list[dict[str, Value]]:
    parsed = []
    for number, row in enumerate(rows, start=2):
        try:
            parsed.append(features(row))
        except BadField as bad:
            message = f"{path}, {bad.at(number).message}"
            raise UnreadableFile(message) from bad
        except KeyError as missing:
            message = f"{path}: the column {missing.args[0]} is missing"
            raise UnreadableFile(message) from missing
    return parsed


def _number(text: str, *, field: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadField(field=field, expected="a number", found=repr(text))
    return number


def _above_zero(text: str, *, field: str) -> float:
    number = _number(text, field=field)
    if number is None or number <= 0:
        raise BadField(field=field, expected="more than zero", found=repr(text))
    return number


def _age_group(years: str) -> str:
    age = float(years)
    if age < _YOUNG:
        return f"under {_YOUNG}"
    return f"{_YOUNG} to {_ADULT - 1}" if age < _ADULT else f"{_ADULT} and above"
