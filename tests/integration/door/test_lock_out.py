"""Who guesses is locked out, whatever forwarding headers say, and with the cache away as well."""

from typing import Any

import pytest
from allauth.core.internal.ratelimit import parse_rates
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from accounts.models import LogIn, User
from core.cache import BankCache
from core.client_address import UNKNOWN, client_address
from tests.factories import person
from tests.integration.door.conftest import ask, code_of, log_in, set_active, verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def cache_down(settings: Settings) -> None:
    """Let the cache be away: nothing answers at its port."""
    location = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
    BankCache.trust_again()


def test_after_five_wrong_passwords_the_right_one_does_not_help(asha: User) -> None:
    answers = [code_of(log_in(asha, "wrong")) for _ in range(5)]
    assert set(answers) == {"wrong_credentials"}
    refused = log_in(asha)
    assert code_of(refused, 429) == "too_many_attempts"
    assert refused.headers["Retry-After"]
    assert LogIn.objects.filter(person=asha, result="locked_out").count() == 1


@pytest.mark.usefixtures("cache_down")
def test_while_the_cache_is_away_as_well(asha: User) -> None:
    for _ in range(5):
        log_in(asha, "wrong")
    assert code_of(log_in(asha), 429) == "too_many_attempts"
    other = verified(person())
    assert log_in(other).status_code == 200


def test_one_who_tries_and_tries_does_not_close_the_address_for_others(asha: User) -> None:
    answers = [log_in(asha, "wrong").json()["code"] for _ in range(12)]
    assert answers.count("wrong_credentials") == 5
    assert log_in(verified(person())).status_code == 200


def test_an_address_has_few_guesses_a_day_however_patiently_they_are_made(
    settings: Settings,
) -> None:
    rates = parse_rates(settings.ACCOUNT_RATE_LIMITS["login_failed"])
    of_a_day = [rate.amount * 86_400 / rate.duration for rate in rates if rate.per == "ip"]
    assert min(of_a_day) == 500


def test_an_address_is_closed_that_tries_many_people() -> None:
    answers = [
        ask("auth/login", {"email": f"nobody{one}@example.org", "password": "wrong"}).json()["code"]
        for one in range(11)
    ]
    assert answers == ["wrong_credentials"] * 10 + ["too_many_attempts"]


def test_forged_headers_do_not_make_another_address() -> None:
    refused = 0
    for one in range(12):
        forged = f"203.0.113.{one}"
        client = Client(headers={"X-Forwarded-For": forged, "X-Real-IP": forged})
        page = client.post("/auth/login/", {"login": f"x{one}@example.org", "password": "wrong"})
        refused += "Too many failed login attempts" in page.content.decode()
    assert refused == 2
    assert set(LogIn.objects.values_list("address", flat=True)) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("hops", "header", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, None, UNKNOWN),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 192.0.2.7", "203.0.113.9"),
        (2, "203.0.113.9", UNKNOWN),
        (1, "not an address", UNKNOWN),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(
    settings: Settings, hops: int, header: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = hops
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")
    if header is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = header
    assert client_address(request) == expected


def test_ten_thousand_forged_headers_are_one_address(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    requests = RequestFactory()
    seen = {
        client_address(
            requests.get("/", HTTP_X_FORWARDED_FOR=f"10.{one >> 8}.{one & 255}.1, 192.0.2.7")
        )
        for one in range(10_000)
    }
    assert seen == {"192.0.2.7"}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list to which every password that is hashed adds a word."""
    done: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, name)

        def counted(hasher: Any, *given: Any, _real: Any = real, **named: Any) -> Any:
            done.append("argon2")
            return _real(hasher, *given, **named)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)
    return done


def test_a_stranger_costs_as_much_hashing_as_a_wrong_password(asha: User, work: list[str]) -> None:
    inactive, invited = verified(person()), verified(person())
    set_active(inactive, is_active=False)
    invited.set_unusable_password()
    invited.save()
    costs = []
    for email in (asha.email, "nobody@example.org", inactive.email, invited.email):
        work.clear()
        ask("auth/login", {"email": email, "password": "wrong"})
        costs.append(len(work))
    assert costs == [1, 1, 1, 1]


def test_signing_up_costs_as_much_with_an_address_that_is_known(
    client: Client, asha: User, work: list[str]
) -> None:
    costs, places = [], []
    for email in (asha.email, "new@example.org"):
        typed = {
            "email": email,
            "full_name": "New Person",
            "password1": "seven purple elephants dance",
        }
        work.clear()
        places.append(client.post("/auth/signup/", typed).headers["Location"])
        costs.append(len(work))
    assert places[0] == places[1]
    assert costs == [1, 1]
