"""What people see and ask for when their money is at several branches."""

from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from django.test import Client

from accounts.models import User
from tests.branches import DEL, MUM, Branches
from tests.factories import person
from tests.integration.branches.test_crossing import account_at
from tests.integration.money.api import client_of, post, refusal, shown
from tests.integration.money.people import move
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import commitment, recovery, registry
from transactions.branches.registry import node_of
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT


class Lost(Exception):  # no error: the coordinator ends here
    """The one who sends is gone."""


class Bank:
    """A customer with ₹100 in Mumbai and an empty account in Delhi, and a payee at each branch."""

    def __init__(self) -> None:
        self.asha, self.other = person(), person()
        self.api = client_of(self.asha)
        self.mumbai = self._account(self.asha, MUM, 1, balance=10_000)
        self.delhi = self._account(self.asha, DEL, 1)
        self.mumbai_payee = self._account(self.other, MUM, 2)
        self.delhi_payee = self._account(self.other, DEL, 2)

    def _account(self, owner: User, node: str, serial: int, *, balance: int = 0) -> int:
        number = account_at(node, serial, balance=balance)
        set_holder(number, user=owner.pk, rights="owner", client=BANK_CLIENT, using=node_of(number))
        return number

    def send(self, credit: int, amount: str, **headers: str) -> str:
        """Send money from Mumbai and return the transfer's id."""
        body = {
            "debit_account": str(self.mumbai),
            "credit_account": str(credit),
            "amount": amount,
            "currency": "INR",
        }
        answer = post(self.api, "transfers", body, **headers)
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])


@pytest.fixture
def bank(branches: Branches) -> Bank:
    """Give a bank of three nodes."""
    assert branches
    return Bank()


def amounts(api: Client, address: str, **filters: str | int) -> list[str]:
    page = shown(api, address, **filters)
    return [one["amount"] for one in page.get("transfers") or page["entries"]]


class TestTransfers:
    def test_are_listed_once_whichever_branches_they_cross(self, bank: Bank) -> None:
        bank.send(bank.delhi, "1.00")
        bank.send(bank.delhi_payee, "2.00")
        bank.send(bank.mumbai_payee, "3.00")
        assert amounts(bank.api, "transfers") == ["3.00", "2.00", "1.00", "100.00"]
        assert amounts(bank.api, "transfers", account=bank.delhi) == ["1.00"]
        theirs = client_of(bank.other)
        assert amounts(theirs, "transfers") == ["3.00", "2.00"]
        (received,) = shown(theirs, "transfers", account=bank.delhi_payee)["transfers"]
        assert received["debit_account"] == str(bank.mumbai)
        assert "debit_balance_after" not in received

    def test_tell_while_they_settle(self, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
        done = bank.send(bank.delhi_payee, "1.00")
        assert shown(bank.api, f"transfers/{done}")["settling"] is False

        def end(step: str) -> None:
            if step == "decided":
                raise Lost

        with monkeypatch.context() as patched:
            patched.setattr(commitment, "on_step", end)
            body = {
                "debit_account": str(bank.mumbai),
                "credit_account": str(bank.delhi_payee),
                "amount": "2.00",
                "currency": "INR",
            }
            assert post(bank.api, "transfers", body, key="rent").status_code == 500
        again = post(bank.api, "transfers", body, key="rent")
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json()["settling"] is True
        address = f"transfers/{again.json()['id']}"
        assert shown(bank.api, address)["settling"] is True
        while recovery.sweep(older_than=0).left:
            pass
        assert shown(bank.api, address)["settling"] is False
        assert post(bank.api, "transfers", body, key="rent").json()["settling"] is False

    def test_of_a_batch_tell_that_they_have_come(self, bank: Bank) -> None:
        item = {
            "debit_account": str(bank.mumbai),
            "credit_account": str(bank.delhi_payee),
            "amount": "1.00",
            "currency": "INR",
        }
        sent = post(bank.api, "transfer-batches", {"transfers": [item] * 3}).json()
        assert sent["settling"] is False
        for one in sent["results"]:
            assert shown(bank.api, f"transfers/{one['id']}")["settling"] is False

    def test_between_branches_are_not_reversed(self, bank: Bank) -> None:
        across = bank.send(bank.delhi_payee, "1.00")
        local = bank.send(bank.mumbai_payee, "1.00")
        for transfer in (across, local):
            move(bank.mumbai_payee, DEL) if transfer == local else None
            asked = post(bank.api, f"transfers/{transfer}/reversal-requests", {"reason": "Oops"})
            assert refusal(asked, 422) == ("reversal_across_branches", [])


class TestHolds:
    def test_are_for_payees_of_the_same_branch(self, bank: Bank) -> None:
        body = {
            "account": str(bank.mumbai),
            "payee_account": str(bank.delhi_payee),
            "amount": "1.00",
            "currency": "INR",
            "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        }
        asked = post(bank.api, "holds", body)
        assert refusal(asked, 422) == ("hold_across_branches", ["/payee_account"])
        placed = post(bank.api, "holds", {**body, "payee_account": str(bank.mumbai_payee)})
        assert placed.status_code == 201
        (seen,) = shown(client_of(bank.other), "holds")["holds"]
        assert seen == placed.json()

    def test_are_answered_as_before_wherever_their_accounts_live(self, bank: Bank) -> None:
        body = {
            "account": str(bank.mumbai),
            "payee_account": str(bank.mumbai_payee),
            "amount": "1",
            "currency": "INR",
            "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        }
        shop = client_of(bank.other)
        paid, freed = (
            post(bank.api, "holds", body, key=key).json()["id"] for key in ("one", "two")
        )

        def ask() -> list[tuple[int, str]]:
            answers = [
                post(bank.api, "holds", body, key="one"),
                post(shop, f"holds/{paid}/capture", {}, key="pay"),
                post(bank.api, f"holds/{freed}/release", {}, key="free"),
            ]
            return [(answer.status_code, answer.json()["id"]) for answer in answers]

        answered = ask()
        assert [status for status, _id in answered] == [201, 201, 200]
        for number, code in ((bank.mumbai_payee, "HO"), (bank.mumbai, DEL), (bank.mumbai, MUM)):
            move(number, code)
            assert ask() == answered
            assert shown(shop, f"holds/{paid}")["state"] == "captured"
        stranger = client_of(person())
        assert refusal(stranger.get(f"/api/v1/holds/{paid}"), 404) == ("unknown_hold", [])

    def test_are_no_ones_guess_while_a_branch_is_silent(
        self, bank: Bank, branches: Branches, server: TestServer
    ) -> None:
        unknown = "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55"
        with node_down(server, branches.delhi):
            asked = bank.api.get(f"/api/v1/holds/{unknown}")
            assert refusal(asked, 503) == ("branch_unavailable", [])


class TestAnAccountThatMoved:
    def test_has_one_history_and_one_past(self, bank: Bank) -> None:
        instants = []
        for amount in ("1.00", "2.00", "4.00"):
            bank.send(bank.mumbai_payee, amount)
            sleep(0.003)
            instants.append(datetime.now(UTC).isoformat())
            sleep(0.003)
            move(bank.mumbai, DEL if node_of(bank.mumbai) == MUM else MUM)
        assert amounts(bank.api, f"accounts/{bank.mumbai}/statement", amount_max="4") == [
            "4.00",
            "2.00",
            "1.00",
        ]
        assert amounts(bank.api, "transfers", account=bank.mumbai)[:3] == ["4.00", "2.00", "1.00"]
        past = [
            shown(bank.api, f"accounts/{bank.mumbai}/balance", as_of=at)["balance"]
            for at in instants
        ]
        assert past == ["99.00", "97.00", "93.00"]
        long_ago = shown(bank.api, f"accounts/{bank.mumbai}/balance", as_of="2001-01-01")
        assert long_ago["balance"] == "0.00"

    def test_is_found_before_the_head_office_has_heard_of_the_move(
        self, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bank.send(bank.mumbai_payee, "1.00")
        monkeypatch.setattr("transactions.branches.moving._tell_others", lambda _moved: None)
        move(bank.mumbai, DEL)
        registry.forget()
        assert node_of(bank.mumbai) == MUM
        assert amounts(bank.api, f"accounts/{bank.mumbai}/statement") == ["1.00", "100.00"]

    def test_has_no_past_while_a_branch_where_it_lived_is_silent(
        self, bank: Bank, branches: Branches, server: TestServer
    ) -> None:
        move(bank.mumbai, DEL)
        with node_down(server, branches.mumbai):
            asked = bank.api.get(f"/api/v1/accounts/{bank.mumbai}/balance", {"as_of": "2026-01-01"})
            assert refusal(asked, 503) == ("branch_unavailable", [])
