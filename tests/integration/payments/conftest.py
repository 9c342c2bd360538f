"""Two people with accounts that the head office knows."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

import pytest
from django.contrib.auth.models import Permission
from django.core import mail

from accounts.callers import Caller
from accounts.models import User
from accounts.step_up import StepUpRequired
from core.api.step_up import StepUp
from tests.factories import customer_account, person

Answer = TypeVar("Answer")
CODE: Final = re.compile(r"\b[0-9]{6}\b")


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def vikram() -> User:
    """Give another one."""
    return person(full_name="Vikram Singh")


@pytest.fixture
def mine(asha: User) -> int:
    """Return Asha's account, with ₹1,00,000."""
    return customer_account(asha, balance=10_000_000)


@pytest.fixture
def theirs(vikram: User) -> int:
    """Return Vikram's empty account."""
    return customer_account(vikram)


def by_key(user: User) -> Caller:
    """Return a person's API key, which is never asked for a code."""
    return Caller(
        pk=user.pk,
        role="customer",
        scopes=frozenset(),
        via="key",
        credential="a key",
        largest_transfer=10**9,
    )


def confirmed(ask: Callable[[StepUp], Answer]) -> Answer:
    """Ask for something twice, the second time with the code that came by e-mail."""
    with pytest.raises(StepUpRequired) as required:
        ask(StepUp(fingerprint="of the test", challenge=None, code=None))
    found = CODE.search(str(mail.outbox[-1].body))
    assert found is not None
    return ask(
        StepUp(
            fingerprint="of the test",
            challenge=required.value.members["challenge"],
            code=found.group(),
        )
    )


@pytest.fixture
def processor() -> User:
    """Give an admin who may charge cards."""
    admin = person(role="admin", is_staff=True)
    admin.user_permissions.add(Permission.objects.get(codename="charge_cards"))
    return admin
