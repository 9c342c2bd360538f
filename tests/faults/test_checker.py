"""The checker reports every broken promise, and no kept one."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults._checker import Bank, Violation, check
from tests.faults._history import (
    Copy,
    Ending,
    History,
    Leg,
    Outcome,
    Reading,
    Sending,
    Statement,
    View,
)

HERE, THERE, OTHER = 101, 202, 102
BANK = Bank(homes={HERE: "default", OTHER: "default", THERE: "MUM"}, total=100)
CLEARING, RETURN = 901, 902
OUT = Leg(node="default", key="k", debit=HERE, credit=CLEARING, amount=5, peer=THERE)
IN = Leg(node="MUM", key="k", debit=RETURN, credit=THERE, amount=5, peer=HERE)
LOCAL = Leg(node="default", key="l", debit=HERE, credit=OTHER, amount=2, peer=None)
SENT = Sending(key="k", debit=HERE, credit=THERE, amount=5, outcome=Outcome.OK)
SENT_HERE = Sending(key="l", debit=HERE, credit=OTHER, amount=2, outcome=Outcome.OK)


def view(node: str, balances: dict[int, int | None], owed: int = 0, unbalanced: int = 0) -> View:
    other = {"default": "MUM", "MUM": "default"}[node]
    return View(node=node, balances=balances, clearing={other: owed}, unbalanced=unbalanced)


def reading(
    here: int | None = 50, there: int | None = 30, owed: tuple[int, int] = (0, 0), **more: Any
) -> Reading:
    own: dict[int, int | None] = {HERE: here, OTHER: 20}
    return Reading(
        views=(view("default", own, owed[0]), view("MUM", {THERE: there}, owed[1])), **more
    )


ENDING = Ending(views=reading().views, legs=(OUT, IN, LOCAL), gids=(), settled_seconds=1.5)
HISTORY = History(sendings=(SENT, SENT_HERE))


def violations(*, ending: dict[str, Any] | None = None, **history: Any) -> list[Violation]:
    return check(replace(HISTORY, **history), replace(ENDING, **(ending or {})), bank=BANK)


def points(*, ending: dict[str, Any] | None = None, **history: Any) -> list[int]:
    return [each.point for each in violations(ending=ending, **history)]


class TestKeptPromises:
    def test_are_not_reported(self) -> None:
        assert violations(readings=(reading(), reading(is_exact=True))) == []

    def test_money_in_transit_is_no_lost_money(self) -> None:
        assert violations(readings=(reading(here=45, owed=(5, 0)),)) == []

    def test_a_torn_read_that_clearing_explains_is_right(self) -> None:
        # Seen at the destination already, and not yet at the source.
        assert violations(readings=(reading(there=35, owed=(0, -5)),)) == []

    @pytest.mark.parametrize("legs", [(LOCAL,), (OUT, IN, LOCAL)])
    def test_an_unknown_outcome_may_be_either(self, legs: tuple[Leg, ...]) -> None:
        unknown = replace(SENT, outcome=Outcome.INFO)
        assert violations(sendings=(unknown, SENT_HERE), ending={"legs": legs}) == []

    def test_a_statement_may_show_more_than_it_must(self) -> None:
        shown = Statement(owed=frozenset("k"), seen=frozenset("kl"))
        assert violations(statements=(shown,)) == []

    def test_an_equal_replica_is_right(self) -> None:
        copy = Copy(balances={HERE: 50, OTHER: 20, THERE: 30}, legs=(LOCAL, IN, OUT))
        assert violations(ending={"replica": copy}) == []


class TestReads:
    def test_of_a_node_out_of_balance_break_point_1(self) -> None:
        torn = Reading(views=(view("MUM", {THERE: 30}, unbalanced=3),))
        assert points(readings=(torn,)) == [1]

    @pytest.mark.parametrize("total", [{"here": 49}, {"owed": (0, 1)}])
    def test_of_another_total_break_point_2(self, total: dict[str, Any]) -> None:
        assert points(readings=(reading(**total),)) == [2]

    def test_behind_the_barrier_with_money_in_transit_break_point_3(self) -> None:
        assert points(readings=(reading(here=45, owed=(5, 0), is_exact=True),)) == [3]

    @pytest.mark.parametrize(
        "balances", [{THERE: -1}, {THERE: None}, {}, {THERE: 30, HERE: 0}, {THERE: 30, 999: 0}]
    )
    def test_of_a_balance_that_cannot_be_break_point_4(
        self, balances: dict[int, int | None]
    ) -> None:
        assert points(readings=(Reading(views=(view("MUM", balances),)),)) == [4]

    def test_of_less_than_the_token_promises_break_point_7(self) -> None:
        stale = Statement(owed=frozenset({"k", "l"}), seen=frozenset({"l"}))
        (wrong,) = violations(statements=(stale,))
        assert str(wrong) == (
            "(7) nobody sees less than their token promises: transfers ['k'] are not shown"
        )


class TestTransfers:
    @pytest.mark.parametrize(
        ("outcome", "legs"),
        [
            (Outcome.OK, ()),
            (Outcome.OK, (OUT,)),
            (Outcome.OK, (IN,)),
            (Outcome.OK, (OUT, IN, IN)),
            (Outcome.OK, (OUT, IN, OUT, IN)),
            (Outcome.OK, (OUT, replace(IN, amount=4))),
            (Outcome.OK, (OUT, replace(IN, node="DEL"))),
            (Outcome.OK, (replace(OUT, debit=OTHER), IN)),
            (Outcome.FAIL, (OUT, IN)),
            (Outcome.FAIL, (OUT,)),
            (Outcome.INFO, (OUT,)),
            (Outcome.INFO, (IN,)),
            (Outcome.INFO, (OUT, IN, OUT, IN)),
        ],
    )
    def test_written_otherwise_than_answered_break_point_5(
        self, outcome: Outcome, legs: tuple[Leg, ...]
    ) -> None:
        sent = replace(SENT, outcome=outcome)
        assert points(sendings=(sent, SENT_HERE), ending={"legs": (*legs, LOCAL)}) == [5]

    @pytest.mark.parametrize("legs", [(), (LOCAL, LOCAL)])
    def test_within_a_node_are_looked_at_too(self, legs: tuple[Leg, ...]) -> None:
        assert points(ending={"legs": (OUT, IN, *legs)}) == [5]

    def test_that_nobody_asked_for_break_point_5(self) -> None:
        assert points(sendings=(SENT,)) == [5]


class TestTheEnd:
    def test_with_a_prepared_transaction_breaks_point_6(self) -> None:
        assert points(ending={"gids": ("bank:v1:default:MUM:x:1",)}) == [6]

    def test_with_money_in_transit_breaks_point_6_and_9(self) -> None:
        assert points(ending={"views": reading(here=45, owed=(5, 0)).views}) == [6, 9]

    def test_with_a_leg_missing_on_both_sides_of_a_sum_breaks_point_6(self) -> None:
        assert 6 in points(ending={"views": reading(there=25, owed=(5, 0)).views})

    @pytest.mark.parametrize("seconds", [5.1, None])
    def test_that_comes_late_breaks_point_6(self, seconds: float | None) -> None:
        assert points(ending={"settled_seconds": seconds}) == [6]

    @pytest.mark.parametrize(
        "copy",
        [
            Copy(balances={HERE: 50, OTHER: 20, THERE: 30}, legs=(LOCAL, IN)),
            Copy(balances={HERE: 50, OTHER: 20, THERE: 30}, legs=(LOCAL, IN, OUT, OUT)),
            Copy(balances={HERE: 50, OTHER: 20, THERE: 25}, legs=(LOCAL, IN, OUT)),
            Copy(balances={HERE: 50, THERE: 30}, legs=(LOCAL, IN, OUT)),
        ],
    )
    def test_with_another_replica_breaks_point_8(self, copy: Copy) -> None:
        assert points(ending={"replica": copy}) == [8]

    @pytest.mark.parametrize(("there", "word"), [(29, "1 lost"), (32, "2 minted")])
    def test_with_another_total_breaks_point_9(self, there: int, word: str) -> None:
        wrong = violations(ending={"views": reading(there=there).views})
        assert [each.point for each in wrong] == [2, 9]
        assert word in str(wrong[-1])

    def test_with_the_right_total_leaves_a_wrong_read_a_torn_one(self) -> None:
        assert points(readings=(reading(here=49),)) == [2]
