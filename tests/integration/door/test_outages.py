"""While the cache is away nothing is let in that was shut out, and nothing is lost of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from accounts.known import forget_all, tell_untold
from accounts.models import Untold, User
from accounts.standing import people, standing_of
from core.cache import BankCache
from tests.integration.door.conftest import ask, set_active, tokens

pytestmark = pytest.mark.django_db


@contextmanager
def cache_away(settings: Settings) -> Iterator[None]:
    """Let nothing answer where the cache was, for the block."""
    usual = settings.CACHES
    settings.CACHES = {"default": {**usual["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    try:
        yield
    finally:
        settings.CACHES = usual
        BankCache.trust_again()


def test_callers_are_known_by_the_database(settings: Settings, asha: User) -> None:
    token = tokens(asha)["access_token"]
    with cache_away(settings):
        forget_all()
        assert ask("me/sessions", token=token).status_code == 200
        set_active(asha, is_active=False)
        assert ask("me/sessions", token=token).status_code == 401


def test_what_is_shut_out_meanwhile_stays_out_when_it_is_back(
    settings: Settings, asha: User
) -> None:
    token, other = tokens(asha)["access_token"], tokens(asha)["access_token"]
    assert ask("me/sessions", token=token).status_code == 200
    with cache_away(settings):
        assert ask("auth/logout", {}, token=token).status_code == 204
        assert Untold.objects.exists()
    tell_untold()
    assert not Untold.objects.exists()
    forget_all()
    assert ask("me/sessions", token=token).status_code == 401
    assert ask("me/sessions", token=other).status_code == 200


def test_a_reader_does_not_undo_what_was_told_after_it_read(asha: User) -> None:
    tokens(asha)
    read_before = people.get(str(asha.pk))
    assert read_before
    set_active(asha, is_active=False)
    people.offer(str(asha.pk), read_before)
    forget_all()
    standing = standing_of(asha.pk)
    assert standing
    assert not standing.is_active


def test_what_another_release_told_the_cache_is_understood_or_looked_up(asha: User) -> None:
    known = standing_of(asha.pk)
    told = people.get(str(asha.pk))
    assert told
    newer = {**told, "shoe_size": 7}
    older = {name: told[name] for name in told if name != "lacks_second_factor"}
    for value, full_name in ((newer, "X"), (older, asha.full_name)):
        cache.delete(f"person:{asha.pk}")
        people.offer(str(asha.pk), {**value, "full_name": "X"})
        forget_all()
        assert known
        assert standing_of(asha.pk) == replace(known, full_name=full_name)


def test_what_the_cache_holds_must_be_signed_for_its_place(asha: User) -> None:
    stranger = User.objects.create_user("x@example.org", full_name="X", is_superuser=True)
    standing_of(stranger.pk)
    theirs = cache.get(f"person:{stranger.pk}")
    assert theirs
    cache.set(f"person:{asha.pk}", theirs)
    forget_all()
    standing = standing_of(asha.pk)
    assert standing
    assert standing.role == "customer"
