"""A sensitive request comes twice: the code is for it alone, once, for five minutes."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail

from accounts.models import Challenge, User
from accounts.step_up import (
    LIFE,
    MOST_CHALLENGES,
    MOST_WRONG,
    StepUpRequired,
    TooManyCodes,
    TooManyWrongCodes,
    WrongStepUpCode,
    require_step_up,
)
from tests.codes import mailed_code
from tests.factories import instant, person
from tests.integration.door.test_second_factor import code_now

pytestmark = pytest.mark.django_db

NOW = instant()
CHALLENGE = {
    "action": "send money",
    "fingerprint": "this request",
    "made_at": NOW,
    "expires_at": NOW + LIFE,
}


def step_up(
    user: User,
    *,
    challenge: str | None = None,
    code: str | None = None,
    fingerprint: str = "this request",
    action: str = "send money",
    later: timedelta = timedelta(),
) -> None:
    """Make a request that needs a code."""
    require_step_up(
        user.pk,
        action=action,
        fingerprint=fingerprint,
        challenge=challenge,
        code=code,
        now=NOW + later,
    )


def asked(user: User, **changes: object) -> str:
    """Make a request without its code, and return the challenge."""
    with pytest.raises(StepUpRequired) as caught:
        step_up(user, **changes)  # type: ignore[arg-type]
    return str(caught.value.members["challenge"])


def test_passes_with_the_code_of_the_mail(asha: User) -> None:
    challenge = asked(asha)
    assert mail.outbox[-1].to == [asha.email]
    step_up(asha, challenge=challenge, code=mailed_code())


def test_passes_with_the_code_of_the_app(asha: User, secret: str) -> None:
    challenge = asked(asha)
    assert not mail.outbox
    step_up(asha, challenge=challenge, code=code_now(secret))


def test_says_what_programs_need(asha: User) -> None:
    with pytest.raises(StepUpRequired) as caught:
        step_up(asha)
    assert caught.value.members["channel"] == "email"
    assert caught.value.members["expires_at"] == "2026-03-02T12:05:00Z"


def test_a_code_is_good_once(asha: User) -> None:
    challenge, code = asked(asha), mailed_code()
    step_up(asha, challenge=challenge, code=code)
    assert asked(asha, challenge=challenge, code=code) != challenge


@pytest.mark.parametrize(
    "changes",
    [
        {"fingerprint": "another request"},
        {"action": "make_key"},
        {"later": timedelta(minutes=5)},
        {"challenge": str(uuid4())},
        {"challenge": "x"},
    ],
)
def test_a_code_is_good_for_nothing_else(asha: User, changes: dict[str, object]) -> None:
    challenge = asked(asha)
    asked(asha, **{"challenge": challenge, "code": mailed_code(), **changes})


def test_a_code_is_good_for_nobody_else(asha: User) -> None:
    challenge = asked(asha)
    asked(person(), challenge=challenge, code=mailed_code())


def test_five_wrong_codes_use_a_challenge_up(asha: User) -> None:
    challenge, code = asked(asha), mailed_code()
    for _ in range(5):
        with pytest.raises(WrongStepUpCode):
            step_up(asha, challenge=challenge, code="x")
    assert asked(asha, challenge=challenge, code=code) != challenge


def test_a_request_that_comes_again_at_once_causes_no_other_mail(asha: User) -> None:
    assert asked(asha) == asked(asha, later=timedelta(seconds=20))
    assert len(mail.outbox) == 1
    asked(asha, later=timedelta(seconds=40))
    assert len(mail.outbox) == 2


def test_nobody_gets_codes_without_end(asha: User) -> None:
    for one in range(MOST_CHALLENGES):
        asked(asha, fingerprint=str(one))
    with pytest.raises(TooManyCodes):
        step_up(asha)
    asked(asha, later=timedelta(minutes=16))


def test_nobody_guesses_codes_without_end(asha: User, secret: str) -> None:
    for one in ("send money", "make_key"):
        challenge = asked(asha, action=one)
        for _ in range(MOST_WRONG // 2):
            with pytest.raises(WrongStepUpCode):
                step_up(asha, action=one, challenge=challenge, code="x")
    challenge = str(Challenge.objects.create(**CHALLENGE, person=asha, channel="totp").pk)
    with pytest.raises(TooManyWrongCodes):
        step_up(asha, challenge=challenge, code=code_now(secret))
    with pytest.raises(TooManyWrongCodes):
        step_up(asha, action="approve")
    asked(person())
    later = timedelta(minutes=61)
    challenge = asked(asha, later=later)
    step_up(asha, challenge=challenge, code=code_now(secret), later=later)


def test_right_codes_lock_nobody_out(asha: User) -> None:
    for one in range(MOST_WRONG + 1):
        later = one * timedelta(minutes=2)
        challenge = asked(asha, later=later)
        step_up(asha, challenge=challenge, code=mailed_code(), later=later)


def test_keeps_no_code(asha: User) -> None:
    asked(asha)
    assert mailed_code() not in str(vars(Challenge.objects.get()))
