"""The clients' notes: a line for everything asked and answered, whole even when its writer dies."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.faults._history import History, Outcome, Reading, Sending, Statement, View


class Notes:
    """A file that one process appends to. Each line is one write: there or not."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def asked(self, *, key: str, debit: int, credit: int, amount: int) -> None:
        """Note a transfer before it is sent."""
        self._write(asked=key, debit=debit, credit=credit, amount=amount)

    def answered(self, key: str, outcome: Outcome) -> None:
        """Note how a transfer ended for the client."""
        self._write(answered=key, outcome=outcome)

    def read(self, reading: Reading) -> None:
        """Note what a client saw of the nodes."""
        self._write(views=[asdict(view) for view in reading.views], is_exact=reading.is_exact)

    def shown(self, statement: Statement) -> None:
        """Note what a client saw of its own transfers."""
        owed, seen = sorted(statement.owed), sorted(statement.seen)
        self._write(owed=owed, seen=seen, is_copy=statement.is_copy)

    def _write(self, **words: Any) -> None:
        os.write(self._file, f"{json.dumps({**words, 'at': time.time()})}\n".encode())


def history_of(files: Iterable[Path]) -> History:
    """Return what all clients noted; a transfer without an answer is INFO."""
    asked: dict[str, Sending] = {}
    readings: list[Reading] = []
    statements: list[Statement] = []
    for words in _lines(files):
        if "asked" in words:
            sending = _sending(words)
            asked[sending.key] = sending
        elif "answered" in words:
            known = asked[words["answered"]]
            asked[known.key] = replace(known, outcome=Outcome(words["outcome"]))
        elif "views" in words:
            readings.append(_reading(words))
        else:
            statements.append(_statement(words))
    return History(
        sendings=tuple(asked.values()), readings=tuple(readings), statements=tuple(statements)
    )


def _lines(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _sending(words: dict[str, Any]) -> Sending:
    return Sending(
        key=words["asked"],
        debit=words["debit"],
        credit=words["credit"],
        amount=words["amount"],
        outcome=Outcome.INFO,
    )


def _statement(words: dict[str, Any]) -> Statement:
    seen, owed = frozenset(words["seen"]), frozenset(words["owed"])
    return Statement(owed=owed, seen=seen, is_copy=words["is_copy"])


def _reading(words: dict[str, Any]) -> Reading:
    views = tuple(
        View(
            node=view["node"],
            balances={int(number): balance for number, balance in view["balances"].items()},
            clearing=view["clearing"],
            unbalanced=view["unbalanced"],
        )
        for view in words["views"]
    )
    return Reading(views=views, is_exact=words["is_exact"])
