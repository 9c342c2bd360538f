"""Pictures of accounts: drawn by the worker, kept for a day, waited for by who asked."""

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from celery import shared_task
from celery.exceptions import CeleryError
from django.core.cache import cache
from django.utils import translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from core.errors import DomainError
from transactions.reporting.account_days import Period, account_days, last_entry_of

KINDS: Final = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
"""The forms in which there are pictures, each with its media type."""

WAIT_SECONDS: Final = 8.0
_LOOK_SECONDS: Final = 0.05
_KEPT_SECONDS: Final = 24 * 60 * 60
# A worker that did not draw it by then is not at work; the next one who asks asks anew.
_ASKED_SECONDS: Final = 15


class PictureNotDrawn(DomainError):
    """The worker has not drawn a picture in time, or cannot be asked; it may be tried again."""

    code = "picture_not_drawn"
    http_status = 503


def picture_of(user: int, *, number: int, period: Period, form: str) -> bytes:
    """Return the picture of how a person's account went, in the language of the page under way.

    One that was drawn before comes at once, and is of the account's last entry. Nothing but the
    picture waits for the worker.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
        PictureNotDrawn
    """
    language = translation.get_language() or ""
    place = _place(number, period, form, language, last_entry_of(user, number))
    try:
        found: bytes | None = cache.get(place)
        if found is None and cache.add(f"{place}:asked", 1, _ASKED_SECONDS):
            draw_account.apply_async(
                (place, user, number, [str(period.first), str(period.last)], form, language),
                queue="urgent",
                expires=_ASKED_SECONDS,
                retry=False,
            )
        return found or _waited_for(place)
    except (RedisError, OperationalError, CeleryError) as error:
        message = _("Pictures cannot be made just now. Your account and its statement are there.")
        raise PictureNotDrawn(message) from error


@shared_task
def draw_account(
    place: str, user: int, number: int, days: Sequence[str], form: str, language: str
) -> None:
    """Draw how an account went and keep the picture where who asked looks for it.

    It shows no less than what they saw: what has moved since may be on it, too.
    """
    from portals.reports.charts import account_chart, legible

    period = Period.fromisoformat(*days)
    with translation.override(legible(language)):
        picture = account_chart(account_days(user, number=number, period=period), form)
    cache.set(place, picture, _KEPT_SECONDS)


def _waited_for(place: str) -> bytes:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        found: bytes | None = cache.get(place)
        if found is not None:
            return found
    message = _("The picture takes longer than usual. Please try again in a moment.")
    raise PictureNotDrawn(message)


def _place(number: int, period: Period, form: str, language: str, before: UUID) -> str:
    """Return where a picture is kept: another one, as soon as something moves."""
    return f"picture:{number}:{period.first}:{period.last}:{form}:{language}:{before}"
