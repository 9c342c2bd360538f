"""Instalments as people read them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from core.money import Money
from loans.models import LoanTerms


class InstalmentState(StrEnum):
    """How far an instalment is."""

    PAID = "paid"
    LATE = "late"
    DUE = "due"
    COMING = "coming"


class Promised(Protocol):
    """An instalment, of a plan or of a quote; minor units."""

    @property
    def number(self) -> int:
        """Its place, from 1."""

    @property
    def due_date(self) -> date:
        """Its day."""

    @property
    def principal(self) -> int:
        """What it repays."""

    @property
    def interest(self) -> int:
        """What it costs."""

    @property
    def balance_after(self) -> int:
        """What is left after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An instalment with its amounts; ``total`` includes the fee."""

    instalment: Promised
    state: InstalmentState
    principal: Money
    interest: Money
    fee: Money
    total: Money
    left: Money


def row_of(terms: LoanTerms, one: Promised, state: InstalmentState) -> Row:
    """Return an instalment as a row."""
    money, fee = terms.money, terms.instalment_fee
    return Row(
        instalment=one,
        state=state,
        principal=money(one.principal),
        interest=money(one.interest),
        fee=money(fee),
        total=money(one.principal + one.interest + fee),
        left=money(one.balance_after),
    )
