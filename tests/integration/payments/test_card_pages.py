"""Cards over the API and on pages."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from accounts.cards.selectors import card_of
from accounts.models import User
from core.clock import bank_day
from tests.expectations import nothing_written
from tests.factories import person
from tests.integration.money.api import client_of, post, refusal, shown
from tests.integration.payments.cards import NOW, issued
from tests.integration.payments.conftest import CODE


@pytest.mark.django_db
class TestTheAddresses:
    def test_lead_from_asking_to_a_payment_and_never_show_the_number_again(
        self, asha: User, mine: int, processor: User
    ) -> None:
        api = client_of(asha)
        card = issued(asha, mine)
        activate = f"cards/{card.pk}/activate"
        challenge = post(api, activate, {}, key="same").json()["challenge"]
        code = CODE.search(str(mail.outbox[-1].body))
        assert code is not None
        headers = {"Step-Up-Challenge": challenge, "Step-Up-Code": code.group()}
        made = post(api, activate, {}, key="same", **headers)
        if made.status_code == 403:
            pytest.fail(made.content.decode())
        number = made.json()["card_number"]
        (listed,) = shown(api, "cards")["cards"]
        assert (listed["state"], listed["last_four"]) == ("active", number[-4:])
        body = {
            "card_number": number,
            "expires": listed["expires"],
            "amount": "12.50",
            "currency": "INR",
            "merchant": "Café",
        }
        charging = client_of(processor)
        asked = post(charging, "card-payments", body, key="k")
        assert asked.status_code == 201, asked.content
        again = post(charging, "card-payments", body, key="k")
        assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (
            asked.json()["id"],
            "true",
        )
        other = post(charging, "card-payments", {**body, "amount": "12.51"}, key="k")
        assert refusal(other, 422)[0] == "key_reused"
        address = asked.headers["Location"].removeprefix("/api/v1/")
        paid = post(charging, f"{address}/capture", {"amount": "10.00", "currency": "INR"})
        assert (paid.json()["state"], paid.json()["captured"]) == ("captured", "10.00")
        (seen,) = shown(api, f"cards/{card.pk}/payments")["payments"]
        assert seen == shown(charging, address)
        assert post(api, f"cards/{card.pk}/freeze", {}).json()["state"] == "frozen"
        declined = post(charging, "card-payments", body)
        assert refusal(declined, 422) == ("card_frozen", [])
        everything = str([shown(api, "cards"), shown(api, f"cards/{card.pk}"), seen])
        assert number not in everything
        assert number.replace(" ", "") not in everything

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"card_number": "9356 0012 3456 7890"}, "invalid_card_number"),
            ({"card_number": "9356 0012 3456 7898"}, "unknown_card"),
            ({"expires": "2030-13"}, "not_a_month"),
            ({"merchant": ""}, "text_too_short"),
            ({"amount": "0"}, "amount_not_positive"),
            ({"cvv": "123"}, "unknown_field"),
        ],
    )
    def test_refuse_what_is_wrong_and_name_it(
        self, processor: User, changes: dict[str, str], code: str
    ) -> None:
        body = {
            "card_number": "9356 0012 3456 7898",
            "expires": "2030-03",
            "amount": "1.00",
            "currency": "INR",
            "merchant": "Shop",
        }
        status = 404 if code == "unknown_card" else 422
        with nothing_written():
            answer = post(client_of(processor), "card-payments", {**body, **changes})
        assert refusal(answer, status)[0] == code

    def test_of_payments_are_for_admins_with_the_permission(self, asha: User) -> None:
        admin = person(role="admin", is_staff=True)
        for who in (asha, admin):
            assert refusal(post(client_of(who), "card-payments", {}), 403)[0] == "forbidden"


@pytest.mark.django_db
class TestThePages:
    def test_lead_from_an_issued_card_to_its_number_freezing_and_limits(
        self, asha: User, mine: int
    ) -> None:
        card = issued(asha, mine)
        pages = Client()
        pages.force_login(asha)
        activate, page = f"/cards/{card.pk}/activate/", f"/cards/{card.pk}/"
        assert "Activate the card" in pages.get(page).content.decode()
        shown_once = pages.post(activate, code_for(pages.post(activate))).content.decode()
        ends = card_of(asha.pk, card_id=card.pk).last_four
        assert f'{ends}"' in shown_once
        assert pages.post(activate, follow=True).status_code == 200
        pages.post(f"{page}freeze/")
        assert "It pays nothing now" in pages.get(page).content.decode()
        thaw = f"{page}unfreeze/"
        pages.post(thaw, code_for(pages.post(thaw)))
        assert card_of(asha.pk, card_id=card.pk).state == "active"
        typed = {"payment_limit": "10", "daily_limit": "20.50", "monthly_limit": "0"}
        assert pages.post(page, typed).status_code == 302
        found = card_of(asha.pk, card_id=card.pk)
        assert (found.payment_limit, found.daily_limit, found.monthly_limit) == (1_000, 2_050, 0)
        assert pages.post(page, {**typed, "daily_limit": "ten"}).status_code == 422

    def test_let_customers_ask_and_admins_approve_and_block(self, asha: User, mine: int) -> None:
        pages = Client()
        pages.force_login(asha)
        wish = {"account": str(mine), "kind": "debit", "tier": "classic", "reason": "shopping"}
        answer: Any = pages.post("/cards/new/", wish, follow=True)
        assert "waits for the bank" in answer.content.decode()
        credit = pages.post("/cards/new/", {**wish, "kind": "credit"})
        assert credit.status_code == 422
        assert "may owe something" in credit.content.decode()
        card = issued(asha, mine)
        admin = person(role="admin", is_staff=True)
        admin.user_permissions.set(
            Permission.objects.filter(codename__in=["view_card", "govern_card"])
        )
        desk = Client()
        desk.force_login(admin)
        asha.refresh_from_db()
        new = {**wish, "user_id": str(asha.number), "tier": "gold"}
        asked: Any = desk.post("/admin/accounts/card/add/", new, follow=True)
        assert "Somebody else must approve it now." in asked.content.decode()
        assert "Block" in desk.get(f"/admin/accounts/card/{card.pk}/change/").content.decode()
        desk.post(f"/admin/accounts/card/{card.pk}/block/", {"reason": "reported stolen"})
        assert card_of(asha.pk, card_id=card.pk).state_on(bank_day(NOW)) == "blocked"


def code_for(answer: Any) -> dict[str, str]:
    """Return what to add to a form that was answered with a question for a code."""
    found = CODE.search(str(mail.outbox[-1].body))
    assert found is not None
    return {"step_up_challenge": answer.context["code_field"].challenge, "step_up_code": found[0]}
