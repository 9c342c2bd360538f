"""Large amounts: a person proves again who they are, and an API key has its limit."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from django.test import Client

from accounts.callers import Caller
from accounts.models import User
from core.api.step_up import StepUp
from core.money import CURRENCIES, Money
from tests.codes import mailed_code
from tests.factories import account, inr, instant, person
from tests.integration.money.api import client_of, post, refusal
from transactions.batching import BatchRequest, post_transfers_as
from transactions.cash import CashRequest, withdraw_as
from transactions.holding import HoldRequest, place_hold_as
from transactions.ledger.posting import Channel, Transfer
from transactions.ledger.reads import balances
from transactions.policy import KeyLimitExceeded, step_up_amount
from transactions.services import TransferRequest, preview_as, transfer_as

pytestmark = pytest.mark.django_db

NOW: Final = instant()
ENOUGH: Final = 100_000_000


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def api(asha: User) -> Client:
    """Give a client with the customer's session."""
    return client_of(asha)


@pytest.fixture
def pair(asha: User) -> tuple[int, int]:
    """Return the customer's account with ₹10,00,000, and one of nobody's."""
    return account(balance=ENOUGH, owner=asha), account()


def wish(pair: tuple[int, int], amount: str) -> dict[str, object]:
    return {
        "debit_account": str(pair[0]),
        "credit_account": str(pair[1]),
        "amount": amount,
        "currency": "INR",
    }


def in_a_day() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def large(pair: tuple[int, int], what: str) -> dict[str, object]:
    """Return the body of a request that is just large enough."""
    if what == "transfers":
        return wish(pair, "100000.00")
    if what == "transfer-batches":
        return {"transfers": [wish(pair, "50000.00")] * 2}
    return {
        "account": str(pair[0]),
        "payee_account": str(pair[1]),
        "amount": "100000.00",
        "currency": "INR",
        "expires_at": in_a_day(),
    }


def challenge_of(answer: Any) -> str:
    """Check that an answer asks for a code, and return its challenge."""
    assert refusal(answer, 403) == ("step_up_required", [])
    return str(answer.json()["challenge"])


class TestPerson:
    @pytest.mark.parametrize("what", ["transfers", "transfer-batches", "holds"])
    def test_sends_a_code_with_what_is_large_and_none_with_its_replay(
        self, api: Client, pair: tuple[int, int], what: str
    ) -> None:
        body = large(pair, what)
        ask = partial(post, api, what, body, key="house")
        challenge = challenge_of(ask())
        assert balances([pair[0]])[0].available == ENOUGH
        code = {"Step-Up-Challenge": challenge, "Step-Up-Code": mailed_code()}
        done = ask(**code)
        assert done.status_code in {200, 201}, done.content
        assert balances([pair[0]])[0].available == ENOUGH - 10_000_000
        again = ask()
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (done.json(), "true")

    def test_sends_a_code_for_this_request_alone(self, api: Client, pair: tuple[int, int]) -> None:
        challenge = challenge_of(post(api, "transfers", wish(pair, "100000"), key="house"))
        code = {"Step-Up-Challenge": challenge, "Step-Up-Code": mailed_code()}
        challenge_of(post(api, "transfers", wish(pair, "100001"), key="house", **code))
        challenge_of(post(api, "transfers", wish(pair, "100000"), key="other", **code))
        assert balances([pair[0]])[0].balance == ENOUGH

    def test_sends_none_with_less(self, api: Client, pair: tuple[int, int]) -> None:
        assert post(api, "transfers", wish(pair, "99999.99")).status_code == 201
        body = {"transfers": [wish(pair, "50000"), wish(pair, "49999.99")]}
        assert post(api, "transfer-batches", body).json()["posted"] == 2


class TestKey:
    def caller(self, asha: User, largest: int | None) -> Caller:
        return Caller(
            pk=asha.pk,
            role="customer",
            scopes=frozenset({"transfers:write"}),
            via="key",
            credential="1",
            largest_transfer=largest,
        )

    def no_code(self) -> StepUp:
        raise AssertionError

    @pytest.mark.parametrize(
        ("largest", "most"), [(20_000_000, 20_000_000), (100, 100), (0, 0), (None, 0)]
    )
    def test_sends_up_to_its_limit_without_a_code(
        self, asha: User, pair: tuple[int, int], largest: int | None, most: int
    ) -> None:
        caller = self.caller(asha, largest)
        for minor in (most, most + 1):
            ask = TransferRequest(
                user=asha.pk,
                key=f"key {minor}",
                channel=Channel.API,
                debit=pair[0],
                credit=pair[1],
                amount=inr(minor),
            )
            if minor == most and most:
                preview_as(caller, ask, now=NOW)
                transfer_as(caller, ask, step_up=self.no_code, now=NOW)
            elif minor > most:
                with pytest.raises(KeyLimitExceeded):
                    preview_as(caller, ask, now=NOW)
                with pytest.raises(KeyLimitExceeded):
                    transfer_as(caller, ask, step_up=self.no_code, now=NOW)
        assert balances([pair[1]])[0].balance == most

    def test_is_held_to_it_in_batches_and_holds(self, asha: User, pair: tuple[int, int]) -> None:
        caller = self.caller(asha, 10_000_000)
        sent = [Transfer(*pair, inr(10_000_000)), Transfer(*pair, inr(5))]
        ask = BatchRequest(user=asha.pk, key="k", channel=Channel.API, transfers=sent)
        assert len(post_transfers_as(caller, ask, step_up=self.no_code, now=NOW).ids) == 2
        above = [Transfer(*pair, inr(5)), Transfer(*pair, inr(10_000_001))]
        ask = BatchRequest(user=asha.pk, key="l", channel=Channel.API, transfers=above)
        with pytest.raises(KeyLimitExceeded) as refused:
            post_transfers_as(caller, ask, step_up=self.no_code, now=NOW)
        assert refused.value.field == "transfers/1/amount"
        held = HoldRequest(
            user=asha.pk,
            key="m",
            account=pair[0],
            payee=pair[1],
            amount=inr(10_000_001),
            expires_at=NOW,
        )
        with pytest.raises(KeyLimitExceeded):
            place_hold_as(caller, held, step_up=self.no_code, now=NOW)

    @pytest.mark.parametrize("largest", [None, 100])
    def test_takes_out_no_more_in_cash_than_it_sends(
        self, asha: User, pair: tuple[int, int], largest: int | None
    ) -> None:
        wish = CashRequest(
            user=asha.pk, key="n", channel=Channel.MACHINE, account=pair[0], amount=inr(101)
        )
        with pytest.raises(KeyLimitExceeded):
            withdraw_as(self.caller(asha, largest), wish, now=NOW)

    def test_is_held_to_about_the_same_in_other_currencies(
        self, asha: User, pair: tuple[int, int]
    ) -> None:
        assert pair
        caller = self.caller(asha, 10_000_000)
        yen = account(balance=200_000, currency="JPY", owner=asha)
        ask = partial(
            TransferRequest,
            user=asha.pk,
            channel=Channel.API,
            debit=yen,
            credit=account(currency="JPY"),
        )
        within = ask(key="a", amount=Money(180_000, "JPY"))
        transfer_as(caller, within, step_up=self.no_code, now=NOW)
        with pytest.raises(KeyLimitExceeded, match="180000 JPY"):
            transfer_as(
                caller,
                ask(key="b", amount=Money(180_001, "JPY")),
                step_up=self.no_code,
                now=NOW,
            )


def test_every_currency_has_its_large_amount() -> None:
    for code in CURRENCIES:
        assert step_up_amount(code).minor > 0
