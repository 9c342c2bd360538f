"""What every worker knows without asking the database, and how it learns of changes in a second.

A value is kept under a kind and a name, as ``person:7``: for half a second in the process, for a
working day in the cache, for good in the database. Whoever changes it tells the cache afterwards.
Triggers note in ``Untold`` that the cache is to be told, and who tells it clears the note; so what
is changed while the cache is away, or by a process that dies, is told by ``manage.py watch``.

Readers only add to the cache what is missing there: one that read before a change must not undo
what was told after it. Values are signed, each for its place; those under an earlier
``SECRET_KEY`` are learnt anew, since what they say of people is made with it, too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import structlog
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts.models import Untold
from core.db.errors import Busy

MEMORY_SECONDS: Final = 0.5
# How old what a process remembers may become while neither cache nor database answer.
OLDEST_SECONDS: Final = 15 * 60
_MOST_IN_MEMORY: Final = 20_000
SILENCE: Final = (OperationalError, InterfaceError)

Value = dict[str, Any]

_log = structlog.get_logger(__name__)
_kinds: Final[dict[str, "Known"]] = {}


class HeadOfficeSilent(Busy):
    """The head office's database does not answer, and nothing else can."""

    code = "head_office_down"

    def __init__(self) -> None:
        super().__init__(
            _("The head office cannot be reached. Nothing was done; please try again.")
        )


@contextmanager
def asking_head_office() -> Iterator[None]:
    """Say so when the head office does not answer in the block.

    Raises:
        HeadOfficeSilent
    """
    try:
        yield
    except SILENCE as error:
        raise HeadOfficeSilent from error


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A value, when somebody told it who knows, and until when nobody is asked again."""

    value: Value | None
    learned_at: float
    good_until: float


class Known:
    """The values of one kind. ``load`` reads one from the database; None when there is none.

    ``telling`` does what must be done besides when one has changed; it may raise ``RedisError``.
    What the cache holds without one of the ``fields``, since an earlier release told it, is none.
    """

    def __init__(
        self,
        kind: str,
        load: Callable[[str], Value | None],
        *,
        telling: Callable[[str], None] | None = None,
        fields: frozenset[str] = frozenset(),
    ) -> None:
        self._kind = kind
        self._load = load
        self._telling = telling
        self._fields = fields
        self._memory: dict[str, _Remembered] = {}
        _kinds[kind] = self

    def get(self, name: str) -> Value | None:
        """Return a value, at most half a second old; up to 15 minutes while nobody answers.

        Raises:
            OperationalError, InterfaceError: nobody answers, and it was not known here lately.
        """
        kept = self._memory.get(name)
        if kept is not None and monotonic() < kept.good_until:
            return kept.value
        learned_at = monotonic()
        try:
            value = self._look_up(name)
        except SILENCE:
            if kept is None or learned_at > kept.learned_at + OLDEST_SECONDS:
                raise
            learned_at, value = kept.learned_at, kept.value
        if len(self._memory) > _MOST_IN_MEMORY:
            self._memory.clear()
        self._memory[name] = _Remembered(value, learned_at, monotonic() + MEMORY_SECONDS)
        return value

    def offer(self, name: str, value: Value) -> None:
        """Give the cache a value that was just read from the database, if it has none."""
        try:
            cache.add(self._place(name), self._signed(name, value), settings.SESSION_COOKIE_AGE)
        except RedisError:
            return

    def tell(self, name: str) -> bool:
        """Tell the cache of a change that is committed. False: it is away and will be told later.

        Who tells holds the notes locked meanwhile, so that the last change is told last.
        """
        self._memory.pop(name, None)
        try:
            with transaction.atomic():
                notes = Untold.objects.select_for_update().filter(place=self._place(name))
                told = [note.pk for note in notes]
                if told:
                    self._write(name)
                    Untold.objects.filter(pk__in=told).delete()
        except RedisError as error:
            _log.warning("cache_not_told", place=self._place(name), error=str(error))
            return False
        return True

    def forget(self) -> None:
        """Forget what this process remembers."""
        self._memory.clear()

    def _look_up(self, name: str) -> Value | None:
        try:
            kept = cache.get(self._place(name))
        except RedisError:
            kept = None
        value = self._opened(name, kept, former_keys=[])
        return self._learn(name, kept) if value is None else value

    def _learn(self, name: str, kept: str | None) -> Value | None:
        """Read a value anew. What is kept under an earlier key does while nobody answers."""
        former = self._opened(name, kept, former_keys=settings.SECRET_KEY_FALLBACKS)
        if former is not None:
            # Before the database is asked: what is told afterwards must stay.
            with suppress(RedisError):
                cache.delete(self._place(name))
        try:
            value = self._load(name)
        except SILENCE:
            if former is None:
                raise
            value = former
        if value is not None:
            self.offer(name, value)
        return value

    def _opened(self, name: str, kept: str | None, *, former_keys: list[str]) -> Value | None:
        if kept is None:
            return None
        keys: list[str | bytes] = [*former_keys]
        try:
            value: Value = signing.loads(kept, salt=self._place(name), fallback_keys=keys)
        except signing.BadSignature:
            return None
        return value if value.keys() >= self._fields else None

    def _write(self, name: str) -> None:
        if self._telling is not None:
            self._telling(name)
        value = self._load(name)
        if value is None:
            cache.delete(self._place(name))
            return
        cache.set(self._place(name), self._signed(name, value), settings.SESSION_COOKIE_AGE)

    def _signed(self, name: str, value: Value) -> str:
        return signing.dumps(value, salt=self._place(name))

    def _place(self, name: str) -> str:
        return f"{self._kind}:{name}"


def tell_untold() -> None:
    """Tell the cache what it was not told: it was away, or the teller died."""
    for place in Untold.objects.values_list("place", flat=True).distinct()[:1_000]:
        kind, _, name = place.partition(":")
        if not _kinds[kind].tell(name):
            return


def forget_all() -> None:
    """Forget what this process remembers of all kinds."""
    for kind in _kinds.values():
        kind.forget()
