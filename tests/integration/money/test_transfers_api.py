"""Transfers over the API: previewed, listed, and asked to be reversed."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.approvals import OwnRequest, approve, may_decide, refuse
from accounts.models import Approval, User
from core.money import Money
from tests.expectations import nothing_written
from tests.factories import account, checker, customer_account, inr, order, person
from tests.integration.money.api import client_of, post, refusal, shown
from transactions.ledger.posting import Kind, Transfer
from transactions.ledger.posting import post as book
from transactions.ledger.reads import balances
from transactions.reversing import ask_reversal

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def api(asha: User) -> Client:
    """Give a client with the customer's session."""
    return client_of(asha)


def body_of(debit: int, credit: int, **changes: object) -> dict[str, object]:
    return {
        "debit_account": str(debit),
        "credit_account": str(credit),
        "amount": "25.00",
        "currency": "INR",
        **changes,
    }


class TestPreview:
    def test_tells_what_sending_would_and_sends_nothing(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        body = body_of(payer, payee, memo="rent")
        with nothing_written():
            answer = post(api, "transfers/preview", body).json()
        assert answer == {**body, "debit_balance_after": "75.00", "needs_step_up": False}
        sent = post(api, "transfers", body).json()
        assert sent["debit_balance_after"] == answer["debit_balance_after"]

    def test_is_refused_as_sending_is(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=10_000, owner=asha), account()
        for body, code, pointer in (
            (body_of(payer, payee, amount="100.01"), "insufficient_funds", "/amount"),
            (body_of(account(), payee), "unknown_debit_account", "/debit_account"),
            (body_of(payer, payee, note="x"), "unknown_field", "/note"),
        ):
            answer = post(api, "transfers/preview", body)
            assert refusal(answer, 422) == (code, [pointer])

    def test_says_when_a_code_will_be_asked_for(self, api: Client, asha: User) -> None:
        payer, payee = account(balance=20_000_000, owner=asha), account()
        for amount, needed in (("99999.99", False), ("100000.00", True)):
            body = body_of(payer, payee, amount=amount)
            assert post(api, "transfers/preview", body).json()["needs_step_up"] is needed


class TestList:
    @pytest.fixture
    def mine(self, asha: User) -> tuple[int, int]:
        """Return two accounts with a little history."""
        one, two = account(balance=10_000, owner=asha), account(owner=asha)
        other = account(balance=5_000)
        book(Transfer(one, two, inr(100), memo="Savings 100%"), order=order())
        book(Transfer(one, other, inr(250), memo="rent"), order=order())
        book(Transfer(other, two, inr(300), Kind.INTEREST), order=order())
        book(Transfer(other, account(), inr(1)), order=order())
        return one, two

    def test_shows_each_transfer_of_ones_accounts_once(
        self, api: Client, mine: tuple[int, int]
    ) -> None:
        found = shown(api, "transfers")
        amounts = [one["amount"] for one in found["transfers"]]
        assert (amounts, found["has_more"]) == (["3.00", "2.50", "1.00", "100.00"], False)
        among = found["transfers"][2]
        assert among["debit_balance_after"] == "99.00"
        assert among["credit_balance_after"] == "1.00"
        assert "credit_balance_after" not in found["transfers"][1]
        assert found["transfers"][0]["credit_account"] == str(mine[1])

    @pytest.mark.parametrize(
        ("filters", "amounts"),
        [
            ({"kind": "interest"}, ["3.00"]),
            ({"text": "RENT"}, ["2.50"]),
            ({"text": "100%"}, ["1.00"]),
            ({"text": "_"}, []),
            ({"amount_min": "2.50", "currency": "INR"}, ["3.00", "2.50", "100.00"]),
            ({"amount_max": "2.50", "currency": "INR"}, ["2.50", "1.00"]),
            ({"amount_max": "2.50", "currency": "JPY"}, None),
            ({"currency": "JPY"}, []),
            ({"date_from": "2190-01-01"}, []),
            ({"date_to": "2001-01-01"}, []),
            ({"date_from": "2001-01-01", "date_to": "2190-01-01", "kind": "transfer"}, 2),
            ({"value_date": "2001-01-01"}, []),
        ],
    )
    def test_shows_what_is_wanted(
        self,
        api: Client,
        mine: tuple[int, int],
        filters: dict[str, str],
        amounts: list[str] | int | None,
    ) -> None:
        assert mine
        if amounts is None:
            answer = api.get("/api/v1/transfers", filters)
            assert refusal(answer, 422) == ("too_many_decimals", ["/amount_max"])
            return
        found = [one["amount"] for one in shown(api, "transfers", **filters)["transfers"]]
        assert found == amounts or len(found) == amounts

    def test_shows_those_of_one_account(self, api: Client, mine: tuple[int, int]) -> None:
        found = shown(api, "transfers", account=mine[1])["transfers"]
        assert [one["amount"] for one in found] == ["3.00", "1.00"]

    def test_pages_to_the_end_and_repeats_nothing(self, api: Client, mine: tuple[int, int]) -> None:
        assert mine
        seen: list[str] = []
        parameters: dict[str, str | int] | None = {"limit": 3}
        while parameters:
            page = shown(api, "transfers", **parameters)
            seen += [one["id"] for one in page["transfers"]]
            more = page.get("next_cursor")
            parameters = more and {"limit": 3, "cursor": more}
        assert len(seen) == len(set(seen)) == 4

    @pytest.mark.parametrize(
        ("filters", "code", "pointer"),
        [
            ({"amount_min": "1"}, "currency_missing", "/currency"),
            ({"amount_min": "x", "currency": "INR"}, "invalid_amount", "/amount_min"),
            (
                {"amount_min": "2", "amount_max": "1", "currency": "INR"},
                "empty_range",
                "/amount_max",
            ),
            ({"date_from": "2026-03-02", "date_to": "2026-03-01"}, "empty_range", "/date_to"),
            ({"date_from": "2026-02-30"}, "not_a_date", "/date_from"),
            ({"kind": "move"}, "not_a_choice", "/kind"),
            ({"text": "a\0b"}, "text_has_null", "/text"),
            ({"since": "x"}, "unknown_field", "/since"),
            ({"account": "100000000018"}, "invalid_account_number", "/account"),
        ],
    )
    def test_refuses_what_it_cannot_read(
        self, api: Client, filters: dict[str, str], code: str, pointer: str
    ) -> None:
        assert refusal(api.get("/api/v1/transfers", filters), 422) == (code, [pointer])

    def test_hides_the_accounts_of_others(self, api: Client) -> None:
        theirs = account(owner=person())
        answer = api.get("/api/v1/transfers", {"account": theirs})
        assert refusal(answer, 404) == ("unknown_account", [])


class TestReversalRequest:
    def ask(self, api: Client, transfer: object, reason: str = "Sent by mistake") -> Any:
        return post(api, f"transfers/{transfer}/reversal-requests", {"reason": reason})

    @pytest.fixture
    def sent(self, asha: User) -> tuple[int, int, str]:
        """Return payer, payee and id of a transfer of ₹25."""
        payer, payee = account(balance=10_000, owner=asha), account(owner=person())
        receipt = book(Transfer(payer, payee, Money(2_500, "INR")), order=order())
        return payer, payee, str(receipt.transfer_id)

    def test_is_carried_out_once_an_admin_approves(
        self, api: Client, sent: tuple[int, int, str]
    ) -> None:
        payer, payee, transfer = sent
        asked = self.ask(api, transfer)
        assert asked.status_code == 201
        again = self.ask(api, transfer, reason="Again")
        assert (again.status_code, again.json()) == (200, asked.json())
        assert asked.json()["state"] == "waiting"
        approve(int(asked.json()["id"]), checker=checker().pk)
        (done,) = shown(api, f"transfers/{transfer}/reversal-requests")["reversal_requests"]
        assert done["state"] == "done"
        assert [one.balance for one in balances([payer, payee])] == [10_000, 0]
        before = shown(api, f"transfers/{transfer}")
        after = shown(api, f"transfers/{done['reversal_id']}")
        assert (before["is_reversed"], before["reversed_by"]) == (True, after["id"])
        assert (after["kind"], after["reverses"]) == ("reversal", transfer)
        assert refusal(self.ask(api, transfer), 422) == ("already_reversed", [])
        assert refusal(self.ask(api, after["id"]), 404) == ("unknown_transfer", [])

    def test_that_is_refused_moves_nothing(self, api: Client, sent: tuple[int, int, str]) -> None:
        asked = self.ask(api, sent[2]).json()
        refuse(int(asked["id"]), checker=checker().pk, reason="It was right")
        (told,) = shown(api, f"transfers/{sent[2]}/reversal-requests")["reversal_requests"]
        assert (told["state"], told["words"]) == ("refused", "It was right")
        assert [one.balance for one in balances(sent[:2])] == [7_500, 2_500]

    @pytest.mark.parametrize("side", [0, 1])
    def test_is_not_decided_by_who_holds_either_account(self, side: int) -> None:
        holders = [person(), person()]
        holders[side] = checker()
        payer, payee = (customer_account(one, balance=500) for one in holders)
        sent = book(Transfer(payer, payee, inr(25)), order=order())
        asked, _is_new = ask_reversal(
            holders[0].pk, transfer_id=sent.transfer_id, reason="Sent by mistake"
        )
        Approval.objects.filter(pk=asked.pk).update(maker=person())
        asked.refresh_from_db()
        chief = holders[side].pk
        assert not may_decide(asked, person=chief)
        assert may_decide(asked, person=checker().pk)
        with pytest.raises(OwnRequest, match="concerns you"):
            approve(asked.pk, checker=chief)
        with pytest.raises(OwnRequest, match="concerns you"):
            refuse(asked.pk, checker=chief, reason="It is mine")
        assert [one.balance for one in balances([payer, payee])] == [475, 525]

    def test_is_the_payers_to_make(
        self, api: Client, asha: User, sent: tuple[int, int, str]
    ) -> None:
        other = client_of(person())
        assert refusal(self.ask(other, sent[2]), 404) == ("unknown_transfer", [])
        address = f"transfers/{sent[2]}/reversal-requests"
        assert refusal(other.get(f"/api/v1/{address}"), 404) == ("unknown_transfer", [])
        assert shown(api, address) == {"reversal_requests": []}
        assert refusal(self.ask(api, uuid4()), 404) == ("unknown_transfer", [])
        mine = account(balance=500, owner=asha)
        (deposit,) = shown(api, "transfers", account=mine)["transfers"]
        assert refusal(self.ask(api, deposit["id"]), 404) == ("unknown_transfer", [])

    @pytest.mark.parametrize(
        ("reason", "code"), [("", "text_too_short"), ("a\nb", "text_has_control")]
    )
    def test_needs_a_reason(
        self, api: Client, sent: tuple[int, int, str], reason: str, code: str
    ) -> None:
        assert refusal(self.ask(api, sent[2], reason=reason), 422) == (code, ["/reason"])
