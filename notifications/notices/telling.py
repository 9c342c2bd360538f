"""Recording what happened for the people it concerns, and by which ways each is told."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from django.contrib.auth import get_user_model
from django.db import transaction

from notifications.messages.models import Channel, Message
from notifications.notices.models import Notice, NoticeKind
from notifications.notices.phones import verified_phones
from notifications.notices.preferences import Wish, wishes_of

TEMPLATE: Final = "notice"
_NAMESPACE: Final = UUID("c1b4c2f6-6f0e-4b5e-9a53-7a3b3e0a4d55")
_PORTION: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """What one person is told. ``source`` names what happened, and tells it from all else.

    ``data`` is what it is worded with, and fits into JSON. ``is_usual``: told only to who wants it
    every time.
    """

    person: int
    kind: NoticeKind
    source: str
    occurred_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    is_usual: bool = False

    @property
    def notice_id(self) -> UUID:
        """The same for the same, however often it is told."""
        return uuid5(_NAMESPACE, f"{self.person} {self.kind} {self.source}")


def tell(notices: Collection[NewNotice], *, now: datetime) -> None:
    """Record notices and the messages they make, in the caller's transaction or in one of its own.

    Telling the same again changes nothing, whatever was chosen in between.
    """
    if not notices:
        return
    people = {notice.person for notice in notices}
    wishes = wishes_of(people)
    wanted = [
        (notice, wish)
        for notice in notices
        if (wish := wishes[notice.person][notice.kind]).is_told
        and (wish.every_time or not notice.is_usual)
    ]
    if not wanted:
        return
    ways = _ways_of(people)
    rows = [_row(notice, wish, now) for notice, wish in wanted]
    messages = [one for notice, wish in wanted for one in _messages(notice, wish, ways, now)]
    with transaction.atomic():
        Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_PORTION)
        Message.objects.bulk_create(messages, ignore_conflicts=True, batch_size=_PORTION)


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where messages to a person go; empty: nowhere."""

    email: str
    phone: str
    language: str


def _ways_of(people: Collection[int]) -> dict[int, _Ways]:
    found = get_user_model().objects.filter(pk__in=people)
    phones = verified_phones(people)
    return {
        pk: _Ways(email or "", phones.get(pk, ""), language)
        for pk, email, language in found.values_list("pk", "email", "language")
    }


def _row(notice: NewNotice, wish: Wish, now: datetime) -> Notice:
    return Notice(
        id=notice.notice_id,
        person_id=notice.person,
        kind=notice.kind,
        data=dict(notice.data),
        in_inbox=wish.inbox,
        occurred_at=notice.occurred_at,
        recorded_at=now,
    )


def _messages(
    notice: NewNotice, wish: Wish, ways: Mapping[int, _Ways], now: datetime
) -> Iterator[Message]:
    way = ways[notice.person]
    for channel, to, is_wanted in (
        (Channel.EMAIL, way.email, wish.email),
        (Channel.SMS, way.phone, wish.sms),
    ):
        if is_wanted and to:
            yield Message(
                id=uuid5(notice.notice_id, channel),
                person_id=notice.person,
                kind=notice.kind,
                channel=channel,
                to=to,
                template=TEMPLATE,
                data={**notice.data, "occurred_at": notice.occurred_at.isoformat()},
                language=way.language,
                next_attempt_at=now,
                created_at=now,
            )
