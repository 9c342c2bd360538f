"""Cards: asked for, activated, frozen, limited; and what they pay by holds."""

from collections.abc import Callable
from datetime import date, timedelta
from time import sleep

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.approvals import approve
from accounts.cards.governing import (
    activate_card,
    block_card,
    change_card_limits,
    freeze_card,
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
from tests.factories import checker, customer_account, inr, person
from tests.integration.payments.cards import LIMITS, NOW, activated, asking, caller, funds, issued
from tests.integration.payments.conftest import confirmed
from tests.proofs._racing import race
from transactions.card_payments import authorising
from transactions.card_payments.asking import (
    MOST_CARDS,
    CardRequest,
    NoCreditLine,
    TooManyCards,
    ask_card,
)
from transactions.card_payments.authorising import authorise_payment
from transactions.card_payments.declining import CardDeclined
from transactions.card_payments.ending import (
    PaymentEnding,
    UnknownCardPayment,
    capture_payment,
    end_expired_payments,
    release_payment,
)
from transactions.card_payments.models import CardPayment
from transactions.card_payments.showing import cards_shown
from transactions.governing import change_holder, change_limits
from transactions.holding import HoldEnding, HoldOfCard, capture_hold, release_hold
from transactions.ledger.accounts import Limit
from transactions.ledger.codes import Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT

NO_CODE = StepUp(fingerprint="", challenge=None, code=None)


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

    def test_are_shown_by_as_many_queries_however_many_there_are(
        self, asha: User, mine: int, processor: User
    ) -> None:
        card, number = activated(asha, mine)
        authorise_payment(caller(processor), asking(number, 30_000), now=NOW)
        counts = []
        for _more in range(2):
            with CaptureQueriesContext(connection) as asked:
                shown = cards_shown(asha.pk, now=NOW)
            counts.append(len(asked))
            issued(asha, mine)
        assert counts[0] == counts[1]
        spent = {view.card.pk == card.pk: (view.today, view.month) for view in shown}
        assert spent == {True: (inr(30_000), inr(30_000)), False: (inr(0), inr(0))}

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


@pytest.mark.usefixtures("fresh_bank")
def test_two_wishes_at_once_are_one_request() -> None:
    asha = person()
    wish = CardRequest(
        person=asha,
        account=customer_account(asha),
        kind=CardKind.DEBIT,
        tier=CardTier.CLASSIC,
    )

    def ask() -> str:
        return str(ask_card(wish, maker=asha.pk, reason="mine", now=clock.now()).pk)

    assert len(race([ask] * 6)) == 1
