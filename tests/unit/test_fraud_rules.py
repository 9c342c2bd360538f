"""What the rules of fraud find in the course of an account, and in log-ins."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from transactions.fraud.bounds import ALARM_SCORE
from transactions.fraud.course import Course, Movement
from transactions.fraud.findings import Finding, Rule
from transactions.fraud.locations import BadLocations, Locations, Place, locations
from transactions.fraud.log_ins import SeenLogIn, improbable_travel
from transactions.fraud.rules import findings_on
from transactions.fraud.scoring import score

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP, FRIEND, STRANGER = 100_000_000_001, 100_000_000_002, 100_000_000_003
RUPEES = 100
DELHI, MUMBAI, HERE = Place(28.61, 77.21), Place(19.08, 72.88), "203.0.113.7"

_ids = count(1)


def paid(
    amount: int, *, at: datetime, to: int = SHOP, after: int = 10**7, order: int | None = None
) -> Movement:
    """Return a payment; those of one ``order`` were posted together."""
    number = next(_ids)
    return Movement(
        id=UUID(int=number << 64 | (number if order is None else order)),
        at=at,
        is_out=True,
        amount=amount * RUPEES,
        after=after * RUPEES,
        other=to,
        kind="transfer",
        channel="web",
    )


def cash(amount: int, *, at: datetime, branch: int = 100, is_out: bool = False) -> Movement:
    return Movement(
        id=UUID(int=next(_ids)),
        at=at,
        is_out=is_out,
        amount=amount * RUPEES,
        after=0,
        other=branch * 10**9 + 1,
        kind="withdrawal" if is_out else "deposit",
        channel="machine",
    )


def usual(payments: int = 40) -> list[Movement]:
    """Return payments of the months before, every other day at noon, of 900 to 1,100."""
    return [
        paid(900 + 50 * (n % 5), at=NOON - timedelta(days=2 * (payments - n)), to=SHOP + n % 2)
        for n in range(payments)
    ]


def found(movements: Sequence[Movement], *, new: int = 1, currency: str = "INR") -> list[Finding]:
    """Return what is found in the last movements, by all rules but the score."""
    course = Course(account=7, currency=currency, movements=movements, own=frozenset({FRIEND + 7}))
    ids = frozenset(one.id for one in movements[-new:])
    return [one for one in findings_on(course, new=ids) if one.rule != Rule.ANOMALY]


class TestVelocity:
    def burst(self, size: int, *, order: int | None = None) -> list[Movement]:
        return [paid(900, at=NOON + timedelta(seconds=n), order=order) for n in range(size)]

    def test_is_found_in_many_payments_of_an_account_that_has_few(self) -> None:
        (one,) = found([*usual(), *self.burst(12)])
        assert one.facts == {"count": 12, "minutes": 10, "usual": 1}
        assert (one.rule, len(one.transfers)) == (Rule.VELOCITY, 12)

    def test_is_not_found_in_a_few_payments(self) -> None:
        assert found([*usual(), *self.burst(7)], new=7) == []

    def test_is_not_found_in_one_batch(self) -> None:
        assert found([*usual(), *self.burst(12, order=5)], new=12) == []

    def test_is_not_found_where_it_is_usual(self) -> None:
        earlier = [
            paid(900, at=NOON - timedelta(days=day, seconds=n))
            for day in range(9, 1, -1)
            for n in range(8, 0, -1)
        ]
        assert found([*earlier, *self.burst(12)]) == []


class TestNewPayee:
    def test_is_found_when_it_gets_far_more_than_anybody_before(self) -> None:
        (one,) = found([*usual(), paid(20_000, at=NOON, to=STRANGER)])
        assert one.rule == Rule.NEW_PAYEE
        assert (one.facts["amount"], one.facts["largest"]) == (2_000_000, 110_000)

    @pytest.mark.parametrize("payee", [SHOP, FRIEND, FRIEND + 7], ids=["paid", "paid", "own"])
    def test_is_not_found_in_payees_known_before(self, payee: int) -> None:
        assert found([*usual(), paid(20_000, at=NOON, to=payee)]) == []

    def test_is_not_found_in_amounts_that_are_usual_or_small(self) -> None:
        assert found([*usual(), paid(9_999, at=NOON, to=STRANGER)]) == []

    def test_is_not_found_in_less_than_three_times_the_largest_payment(self) -> None:
        earlier = [paid(10_000, at=NOON - timedelta(days=n)) for n in range(9, 0, -1)]
        assert found([*earlier, paid(29_999, at=NOON, to=STRANGER)]) == []
        assert len(found([*earlier, paid(30_000, at=NOON, to=STRANGER)])) == 1

    def test_that_empties_a_new_account_is_found(self) -> None:
        (one,) = found([paid(60_000, at=NOON, to=STRANGER, after=5_000)])
        assert one.facts["percent"] == 92
        assert found([paid(60_000, at=NOON, to=STRANGER, after=60_000)]) == []
        assert found([paid(49_999, at=NOON, to=STRANGER, after=0)]) == []


class TestStructuring:
    def test_is_found_in_pieces_just_below_what_is_reported(self) -> None:
        pieces = [cash(49_000, at=NOON + timedelta(days=n)) for n in range(3)]
        (one,) = found(pieces)
        assert (one.rule, one.facts["count"], one.facts["total"]) == (
            Rule.STRUCTURING,
            3,
            14_700_000,
        )

    @pytest.mark.parametrize(
        "amounts", [(49_000, 49_000), (49_000, 50_000, 49_000), (49_000, 39_000, 49_000)]
    )
    def test_is_not_found_in_other_amounts(self, amounts: tuple[int, ...]) -> None:
        pieces = [cash(amount, at=NOON + timedelta(hours=n)) for n, amount in enumerate(amounts)]
        assert found(pieces, new=3) == []

    def test_is_not_found_over_more_than_three_days_or_in_other_currencies(self) -> None:
        assert found([cash(49_000, at=NOON + timedelta(days=2 * n)) for n in range(3)]) == []
        daily = [cash(49_000, at=NOON + timedelta(days=n)) for n in range(3)]
        assert found(daily, currency="GBP") == []

    def test_is_not_found_in_cash_that_comes_and_goes(self) -> None:
        ways = [cash(49_000, at=NOON, is_out=is_out) for is_out in (True, False, True)]
        assert found(ways, new=3) == []


class TestBranches:
    def test_of_cash_too_far_apart_are_found(self) -> None:
        first = cash(500, at=NOON, branch=201, is_out=True)
        (one,) = found([first, cash(500, at=NOON + timedelta(minutes=20), branch=202)])
        assert (one.rule, one.facts) == (
            Rule.TRAVEL,
            {"branch": 202, "branch_before": 201, "minutes": 20},
        )
        assert found([first, cash(500, at=NOON + timedelta(minutes=61), branch=202)]) == []
        assert found([first, cash(500, at=NOON + timedelta(minutes=20), branch=201)]) == []


class TestScore:
    def test_of_a_usual_payment_is_small_and_of_an_emptied_account_large(self) -> None:
        earlier = usual()
        small = score(paid(1_050, at=NOON), earlier)
        large = score(
            paid(900_000, at=NOON + timedelta(hours=13), to=STRANGER, after=1_000), earlier
        )
        assert small is not None
        assert large is not None
        assert small.value < 2
        assert large.value > ALARM_SCORE
        assert sum(large.parts.values()) == pytest.approx(1)
        assert large.parts["amount"] > large.parts["payee"] > 0

    def test_is_not_given_before_there_are_twenty_payments_or_for_small_ones(self) -> None:
        assert score(paid(999, at=NOON, to=STRANGER), usual()) is None
        assert score(paid(900_000, at=NOON), usual(19)) is None

    def test_raises_an_alert_that_tells_the_parts(self) -> None:
        strange = paid(900_000, at=NOON + timedelta(hours=13), to=STRANGER, after=1_000)
        course = Course(account=7, currency="INR", movements=[*usual(), strange])
        anomalies = [
            one
            for one in findings_on(course, new=frozenset({strange.id}))
            if one.rule == Rule.ANOMALY
        ]
        assert sum(anomalies[0].facts["parts"].values()) == pytest.approx(100, abs=3)


def log_in(
    *, minutes: int = 0, device: str = "Firefox", address: str = HERE, place: Place | None = None
) -> SeenLogIn:
    return SeenLogIn(
        id=next(_ids),
        person=1,
        at=NOON + timedelta(minutes=minutes),
        address=address,
        device=device,
        place=place,
    )


class TestTravel:
    def test_faster_than_an_airliner_is_found(self) -> None:
        before = [log_in(place=DELHI)]
        one = improbable_travel(log_in(minutes=30, place=MUMBAI), before)
        assert one is not None
        assert one.facts["km"] == pytest.approx(1_150, abs=10)
        assert improbable_travel(log_in(minutes=90, place=MUMBAI), before) is None

    def test_without_places_is_found_in_a_strange_device_elsewhere(self) -> None:
        before = [log_in(minutes=-n) for n in range(3)]
        elsewhere = "198.51.100.1"
        strange = log_in(minutes=20, device="curl", address=elsewhere)
        assert improbable_travel(strange, before) is not None
        assert improbable_travel(strange, before[:2]) is None
        for known in (
            log_in(minutes=20, address=elsewhere),
            log_in(minutes=20, device="curl", address="203.0.200.1"),
            log_in(minutes=61, device="curl", address=elsewhere),
        ):
            assert improbable_travel(known, before) is None


class TestLocations:
    def read(self, folder: Path, settings: Settings, text: str) -> Locations:
        path = folder / "locations.csv"
        path.write_text(text)
        # Two files of a test may be of one instant.
        os.utime(path, ns=(next(_ids), next(_ids)))
        settings.BANK_LOCATIONS = str(path)
        return locations()

    def test_are_those_of_the_narrowest_network(self, tmp_path: Path, settings: Settings) -> None:
        lines = "# ours\n203.0.0.0/16,28.61,77.21\n203.0.113.0/24,19.08,72.88\n2001:db8::/32,0,0\n"
        known = self.read(tmp_path, settings, lines)
        assert known.of(HERE) == MUMBAI
        assert known.of("203.0.1.1") == DELHI
        assert known.of("2001:db8::1") == Place(0, 0)
        assert known.of("198.51.100.1") is known.of(None) is None

    @pytest.mark.parametrize(
        "line",
        [
            "203.0.113.0/24",
            "203.0.113.9/24,1,1",
            "here,1,1",
            "10.0.0.0/8,91,0",
            "10.0.0.0/8,nan,0",
            "10.0.0.0/8,x,0",
        ],
    )
    def test_that_are_wrong_are_named_by_their_line(
        self, tmp_path: Path, settings: Settings, line: str
    ) -> None:
        with pytest.raises(BadLocations, match="line 2"):
            self.read(tmp_path, settings, f"10.0.0.0/8,1,1\n{line}\n")
        settings.BANK_LOCATIONS = str(tmp_path / "missing")
        with pytest.raises(BadLocations, match="cannot be read"):
            locations()
