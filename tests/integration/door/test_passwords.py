"""Passwords: long ones, that would not be guessed early."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "passwordpassword1",
        "qwertyuiopasdfghjkl",
        "123456789012345",
        "aaaaaaaaaaaaaaaaaaaa",
        "iloveyouiloveyou",
        "Password1234567",
        "asharao19900101",
        "bankprojectbankproject",
    ],
)
def test_are_refused_that_are_short_or_known(password: str) -> None:
    user = User(email="asharao@example.org", full_name="Asha Rao")
    with pytest.raises(ValidationError):
        validate_password(password, user)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "seven purple elephants dance",
        "hjk3-ß9d-✓ölm-2x",
        "नीला हाथी नदी पार करता है",
        "Xq7!" * 4 + "mvd0kfj2",
        "".join(chr(33 + one * 7919 % 94) for one in range(900)),
    ],
)
def test_are_taken_in_any_script_and_length(password: str) -> None:
    validate_password(password, User(email="asharao@example.org", full_name="Asha Rao"))
