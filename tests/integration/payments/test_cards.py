"""Cards: asked for, activated, frozen, limited; and what they pay by holds."""

from collections.abc import Callable
from datetime import date, timedelta
from time import sleep
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.approvals import approve
from accounts.callers import Caller
from accounts.cards.governing import (
    NewCard,
    activate_card,
    block_card,
    change_card_limits,
    freeze_card,
    issue_card,
    unfreeze_card,
)
from accounts.cards.numbers import InvalidCardNumber, new_card_number, parse_card_number
from accounts.cards.selectors import UnknownCard, card_of
from accounts.models import Card, CardKind, CardLimit, CardTier, User, UserStatus
from accounts.step_up import StepUpRequired
from core import clock
from core.api.step_up import StepUp
from core.clock import bank_day, start_of
from notifications.notices.inbox import inbox_of
from tests.expectations import nothing_written
from tests.factories import checker, customer_account, inr, instant, person
from tests.integration.money.api import client_of, post, refusal, shown
from tests.integration.payments.conftest import CODE, confirmed
from tests.proofs._racing import race
from transactions.card_payments import authorising
from transactions.card_payments.asking import (
    MOST_CARDS,
    CardRequest,
    NoCreditLine,
    TooManyCards,
    ask_card,
)
from transactions.card_payments.authorising import Authorisation, authorise_payment
from transactions.card_payments.declining import CardDeclined
from transactions.card_payments.ending import (
    PaymentEnding,
    UnknownCardPayment,
    capture_payment,
    end_expired_payments,
    release_payment,
)
from transactions.card_payments.models import CardPayment
from transactions.governing import change_holder, change_limits
from transactions.holding import HoldEnding, HoldOfCard, capture_hold, release_hold
from transactions.ledger.accounts import Limit
from transactions.ledger.codes import Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances

# To come, so that no hold runs out meanwhile by the ledger's own clock.
NOW = instant(year=2031)
NO_CODE = StepUp(fingerprint="", challenge=None, code=None)
LIMITS = {CardLimit.PAYMENT: 50_000, CardLimit.DAILY: 80_000, CardLimit.MONTHLY: 120_000}


def caller(user: User) -> Caller:
    """Return a person by their session."""
    return Caller(pk=user.pk, role=user.role, scopes=None, via="session", credential="s")


def issued(user: User, account: int, kind: CardKind = CardKind.DEBIT) -> Card:
    """Issue a card of ₹500 at once, ₹800 a day and ₹1,200 a month."""
    new = NewCard(
        person=user.pk,
        account=account,
        kind=kind,
        tier=CardTier.CLASSIC,
        limits=LIMITS,
        reference=str(uuid4()),
    )
    return issue_card(new, now=NOW)


def activated(user: User, account: int) -> tuple[Card, str]:
    """Issue a card and activate it; return it with its number."""
    card = issued(user, account)
    return confirmed(
        lambda step_up: activate_card(caller(user), card_id=card.pk, step_up=step_up, now=NOW)
    )


def asking(number: str, minor: int, **changes: Any) -> Authorisation:
    """Return a bookshop's wish."""
    asked: dict[str, Any] = {
        "key": str(uuid4()),
        "card_number": number,
        "expires": date(NOW.year + 4, NOW.month, 1),
        "amount": inr(minor),
        "merchant": "Bookshop",
    }
    return Authorisation(**{**asked, **changes})


def funds(number: int) -> tuple[int, int]:
    """Return what an account has, and what of that is set aside."""
    (found,) = balances([number])
    return found.balance, found.held


@pytest.fixture
def processor() -> User:
    """Give an admin who may charge cards."""
    admin = person(role="admin", is_staff=True)
    admin.user_permissions.add(Permission.objects.get(codename="charge_cards"))
    return admin


@pytest.mark.django_db
class TestALife:
    def test_begins_with_an_approval_and_needs_a_code_to_be_activated(
        self, asha: User, mine: int
    ) -> None:
        wish = CardRequest(person=asha, account=mine, kind=CardKind.DEBIT, tier=CardTier.GOLD)
        asked = ask_card(wish, maker=asha.pk, reason="travelling", now=NOW)
        assert ask_card(wish, maker=asha.pk, reason="again", now=NOW) == asked
        assert Card.objects.count() == 0
        done = approve(asked.pk, checker=checker().pk)
        assert done.state == "done", done.words
        card = Card.objects.get()
        assert (card.state, card.last_four, card.number_digest) == ("issued", "", None)
        with pytest.raises(StepUpRequired):
            activate_card(caller(asha), card_id=card.pk, step_up=NO_CODE, now=NOW)
        made, number = confirmed(
            lambda step_up: activate_card(caller(asha), card_id=card.pk, step_up=step_up, now=NOW)
        )
        assert parse_card_number(number) == number
        assert (made.state, made.last_four) == ("active", number[-4:])
        assert made.expires_on == date(2035, 3, 31)

    def test_keeps_no_number_anywhere(self, asha: User, mine: int) -> None:
        card, number = activated(asha, mine)
        with connection.cursor() as cursor:
            for table in ("accounts_card", "accounts_cardevent", "notifications_notice"):
                cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t")
                text = cursor.fetchone()[0]
                assert number not in text
                assert number[:-4] not in text
            cursor.execute(
                "SELECT count(*) FROM accounts_cardevent WHERE pgh_obj_id = %s", [card.pk]
            )
            assert cursor.fetchone()[0] == 2
        assert all(number not in str(sent.body) for sent in mail.outbox)

    def test_freezes_at_once_and_thaws_with_a_code(self, asha: User, mine: int) -> None:
        card, _number = activated(asha, mine)
        for _time in range(2):
            assert freeze_card(caller(asha), card_id=card.pk, now=NOW).state == "frozen"
        with pytest.raises(StepUpRequired):
            unfreeze_card(caller(asha), card_id=card.pk, step_up=NO_CODE, now=NOW)
        confirmed(
            lambda step_up: unfreeze_card(caller(asha), card_id=card.pk, step_up=step_up, now=NOW)
        )
        assert card_of(asha.pk, card_id=card.pk).state == "active"
        told = [notice.data["news"] for notice in inbox_of(asha.pk, after=None, limit=9)]
        assert sorted(told) == ["activated", "frozen", "issued", "unfrozen"]

    def test_is_nobody_elses(self, asha: User, vikram: User, mine: int) -> None:
        card, _number = activated(asha, mine)
        for change in (
            lambda: freeze_card(caller(vikram), card_id=card.pk, now=NOW),
            lambda: unfreeze_card(caller(vikram), card_id=card.pk, step_up=NO_CODE, now=NOW),
            lambda: activate_card(caller(vikram), card_id=card.pk, step_up=NO_CODE, now=NOW),
            lambda: change_card_limits(
                caller(vikram), card_id=card.pk, wanted={}, step_up=NO_CODE, now=NOW
            ),
        ):
            with pytest.raises(UnknownCard):
                change()

    def test_has_limits_that_go_down_at_once_and_up_with_a_code(
        self, asha: User, mine: int
    ) -> None:
        card = issued(asha, mine)

        def change(minor: int, step_up: StepUp = NO_CODE) -> Card:
            wanted = {CardLimit.DAILY: minor}
            return change_card_limits(
                caller(asha), card_id=card.pk, wanted=wanted, step_up=step_up, now=NOW
            )

        assert change(100).daily_limit == 100
        with pytest.raises(StepUpRequired):
            change(101)
        assert confirmed(lambda step_up: change(101, step_up)).daily_limit == 101
        assert card_of(asha.pk, card_id=card.pk).payment_limit == LIMITS[CardLimit.PAYMENT]

    def test_as_a_credit_card_needs_an_account_that_may_owe(self, asha: User, mine: int) -> None:
        wish = CardRequest(person=asha, account=mine, kind=CardKind.CREDIT, tier=CardTier.CLASSIC)
        with pytest.raises(NoCreditLine):
            ask_card(wish, maker=asha.pk, reason="credit", now=NOW)
        lend(mine, 100_000)
        assert ask_card(wish, maker=asha.pk, reason="credit", now=NOW).state == "waiting"

    def test_is_only_for_who_holds_the_account_and_not_for_very_many(
        self, asha: User, vikram: User, mine: int
    ) -> None:
        def wish(user: User) -> CardRequest:
            return CardRequest(
                person=user, account=mine, kind=CardKind.DEBIT, tier=CardTier.CLASSIC
            )

        with pytest.raises(Refused):
            ask_card(wish(vikram), maker=vikram.pk, reason="theirs", now=NOW)
        for _card in range(MOST_CARDS):
            issued(asha, mine)
        with pytest.raises(TooManyCards):
            ask_card(wish(asha), maker=asha.pk, reason="one more", now=NOW)


def lend(number: int, minor: int) -> None:
    """Let an account owe so much."""
    change_limits(
        number,
        limits={Limit.OVERDRAFT: minor},
        is_lowering=False,
        client=BANK_CLIENT,
        key=None,
        reason="test",
    )


@pytest.mark.django_db
class TestPaying:
    def test_sets_aside_once_for_each_key_and_is_paid_in_part(
        self, asha: User, mine: int, processor: User
    ) -> None:
        _card, number = activated(asha, mine)
        asked = asking(number, 40_000)
        payment, is_new = authorise_payment(caller(processor), asked, now=NOW)
        again, is_new_again = authorise_payment(caller(processor), asked, now=NOW)
        assert (payment, is_new, is_new_again) == (again, True, False)
        assert funds(mine) == (10_000_000, 40_000)
        ending = PaymentEnding(
            client=processor.pk, key="c", payment_id=payment.pk, amount=inr(30_000)
        )
        paid, is_paid_now = capture_payment(ending, now=NOW)
        twice, is_paid_twice = capture_payment(ending, now=NOW)
        assert (paid.transfer_id, is_paid_now, is_paid_twice) == (twice.transfer_id, True, False)
        assert (paid.state, paid.captured) == ("captured", 30_000)
        assert funds(mine) == (9_970_000, 0)
        with nothing_written(), pytest.raises(Refused) as refused:
            release_payment(
                PaymentEnding(client=processor.pk, key="r", payment_id=payment.pk), now=NOW
            )
        assert refused.value.code == "hold_not_open"

    def test_frees_what_is_released_and_what_runs_out(
        self, asha: User, mine: int, processor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _card, number = activated(asha, mine)
        first, _new = authorise_payment(caller(processor), asking(number, 40_000), now=NOW)
        soon = clock.now() + timedelta(seconds=1)
        monkeypatch.setattr(authorising, "LIFE", soon - start_of(bank_day(NOW) + timedelta(days=1)))
        second, _new = authorise_payment(caller(processor), asking(number, 30_000), now=NOW)
        ending = PaymentEnding(client=processor.pk, key="r", payment_id=first.pk)
        assert release_payment(ending, now=NOW)[0].state == "released"
        assert second.expires_at == soon
        while clock.now() <= soon:
            sleep(0.05)
        assert end_expired_payments(now=clock.now()) == 1
        assert CardPayment.objects.get(pk=second.pk).state == "expired"
        monkeypatch.undo()
        authorise_payment(caller(processor), asking(number, 50_000), now=NOW)
        assert funds(mine) == (10_000_000, 50_000)

    def test_is_noted_by_the_ledgers_word_when_the_head_office_missed_it(
        self, asha: User, mine: int, processor: User
    ) -> None:
        _card, number = activated(asha, mine)
        payment, _new = authorise_payment(caller(processor), asking(number, 500), now=NOW)
        ending = PaymentEnding(client=processor.pk, key="c", payment_id=payment.pk)
        paid, _new = capture_payment(ending, now=NOW)
        missed = {"state": "authorised", "captured": 0, "transfer_id": None, "ended_at": None}
        CardPayment.objects.filter(pk=payment.pk).update(**missed)
        assert end_expired_payments(now=NOW + timedelta(days=9)) == 1
        found = CardPayment.objects.get(pk=payment.pk)
        assert (found.state, found.captured, found.transfer_id) == (
            "captured",
            500,
            paid.transfer_id,
        )

    def test_that_was_captured_is_told_so_again_though_noted_as_expired(
        self, asha: User, mine: int, processor: User
    ) -> None:
        _card, number = activated(asha, mine)
        payment, _new = authorise_payment(caller(processor), asking(number, 500), now=NOW)
        ending = PaymentEnding(client=processor.pk, key="c", payment_id=payment.pk)
        capture_payment(ending, now=NOW)
        wrong = {"state": "expired", "captured": 0, "transfer_id": None}
        CardPayment.objects.filter(pk=payment.pk).update(**wrong)
        told, is_new = capture_payment(ending, now=NOW)
        assert (told.state, told.captured, is_new) == ("captured", 500, False)

    @pytest.mark.parametrize(
        ("minor", "code"),
        [
            (50_001, "card_payment_limit_exceeded"),
            (45_000, "card_daily_limit_exceeded"),
        ],
    )
    def test_is_declined_over_a_limit_again_and_again_and_told(  # fixtures
        self, asha: User, mine: int, processor: User, minor: int, code: str
    ) -> None:
        _card, number = activated(asha, mine)
        authorise_payment(caller(processor), asking(number, 40_000), now=NOW)
        asked = asking(number, minor)
        for _time in range(2):
            with nothing_written(), pytest.raises(CardDeclined) as declined:
                authorise_payment(caller(processor), asked, now=NOW)
            assert declined.value.code == code
        told = [n for n in inbox_of(asha.pk, after=None, limit=9) if n.kind == "card_declined"]
        assert [notice.data["merchant"] for notice in told] == ["Bookshop"]

    def test_counts_a_month_and_what_was_captured_not_what_was_freed(
        self, asha: User, mine: int, processor: User
    ) -> None:
        _card, number = activated(asha, mine)
        first, _new = authorise_payment(caller(processor), asking(number, 50_000), now=NOW)
        part = PaymentEnding(client=processor.pk, key="c", payment_id=first.pk, amount=inr(30_000))
        capture_payment(part, now=NOW)
        authorise_payment(caller(processor), asking(number, 50_000), now=NOW)
        tomorrow = NOW + timedelta(days=1)
        with pytest.raises(CardDeclined) as declined:
            authorise_payment(caller(processor), asking(number, 40_001), now=tomorrow)
        assert declined.value.code == "card_monthly_limit_exceeded"
        authorise_payment(caller(processor), asking(number, 40_000), now=tomorrow)
        next_month = NOW + timedelta(days=31)
        authorise_payment(caller(processor), asking(number, 50_000), now=next_month)

    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (
                lambda card: freeze_card(caller(card.person), card_id=card.pk, now=NOW),
                "card_frozen",
            ),
            (
                lambda card: block_card(
                    caller(card.person), card_id=card.pk, reason="stolen", now=NOW
                ),
                "card_blocked",
            ),
            (
                lambda card: User.objects.filter(pk=card.person_id).update(
                    status=UserStatus.SUSPENDED, is_active=False
                ),
                "card_blocked",
            ),
            (
                lambda card: change_holder(
                    card.account_id, user=card.person_id, rights=None, client=BANK_CLIENT, key="h"
                ),
                "unknown_debit_account",
            ),
        ],
        ids=["frozen", "blocked", "suspended", "no holder any more"],
    )
    def test_is_declined_once_the_card_or_its_person_may_not(
        self,
        asha: User,
        mine: int,
        processor: User,
        spoil: Callable[[Card], object],
        code: str,
    ) -> None:
        card, number = activated(asha, mine)
        spoil(card)
        with pytest.raises(CardDeclined) as declined:
            authorise_payment(caller(processor), asking(number, 100), now=NOW)
        assert declined.value.code == code
        assert funds(mine) == (10_000_000, 0)

    def test_is_declined_when_expired_in_another_currency_or_without_money(
        self, asha: User, processor: User
    ) -> None:
        poor = customer_account(asha, balance=99)
        _card, number = activated(asha, poor)
        cases = (
            (asking(number, 100), NOW, "insufficient_funds"),
            (asking(number, 1), NOW + timedelta(days=5 * 366), "card_expired"),
        )
        for asked, at, code in cases:
            with pytest.raises(CardDeclined) as declined:
                authorise_payment(caller(processor), asked, now=at)
            assert declined.value.code == code
        lend(poor, 1)
        authorise_payment(caller(processor), asking(number, 100), now=NOW)
        assert funds(poor) == (99, 100)

    def test_finds_a_card_by_its_number_and_month_alone_also_after_the_key_changed(
        self, asha: User, mine: int, processor: User, settings: Settings
    ) -> None:
        _card, number = activated(asha, mine)
        for wrong in (asking(new_card_number(), 1), asking(number, 1, expires=date(2035, 4, 1))):
            with pytest.raises(UnknownCard):
                authorise_payment(caller(processor), wrong, now=NOW)
        with pytest.raises(InvalidCardNumber):
            authorise_payment(caller(processor), asking(number[:-1] + "x", 1), now=NOW)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key, which is long enough to be one"  # of the test
        payment, _new = authorise_payment(caller(processor), asking(number, 1), now=NOW)
        assert payment.state == "authorised"

    def test_is_not_the_payers_to_take_or_free_nor_another_processors(
        self, asha: User, mine: int, processor: User
    ) -> None:
        _card, number = activated(asha, mine)
        payment, _new = authorise_payment(caller(processor), asking(number, 500), now=NOW)
        assert payment.hold_id is not None
        mine_to_end = HoldEnding(user=asha.pk, key="h", hold_id=payment.hold_id)
        for end in (capture_hold, release_hold):
            with nothing_written(), pytest.raises(HoldOfCard):
                end(mine_to_end, now=NOW)
        with nothing_written(), pytest.raises(UnknownCardPayment):
            capture_payment(PaymentEnding(client=asha.pk, key="c", payment_id=payment.pk), now=NOW)


@pytest.mark.usefixtures("fresh_bank")
def test_eight_at_once_get_no_more_than_the_cards_limit() -> None:
    asha, processor = person(), person(role="admin", is_staff=True)
    mine = customer_account(asha, balance=10_000_000)
    _card, number = activated(asha, mine)

    def charge() -> str:
        try:
            authorise_payment(caller(processor), asking(number, 16_000), now=NOW)
        except CardDeclined as declined:
            return declined.code
        return "authorised"

    ended = race([charge] * 8)
    assert dict(ended) == {"authorised": 5, "card_daily_limit_exceeded": 3}
    assert funds(mine) == (10_000_000, 80_000)
    same = asking(number, 1, key="one", expires=date(2035, 3, 1))
    tomorrow = NOW + timedelta(days=1)

    def charge_again() -> str:
        return str(authorise_payment(caller(processor), same, now=tomorrow)[0].hold_id)

    assert len(race([charge_again] * 4)) == 1
    assert funds(mine) == (10_000_000, 80_001)
    assert check_books().findings == []


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
