"""Sending what is due: several at once, few to the same endpoint, each attempt noted."""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Final

import structlog

from core import calls
from core.api.representation import instant
from notifications.webhooks import signing
from notifications.webhooks.claims import Claim, Outcome, claim_due, note_outcome

AT_ONCE: Final = 16
AT_ONCE_TO_EACH: Final = 4
_GLANCE_SECONDS: Final = 0.2

_log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


def send_due(*, clock: Clock, seconds: float) -> int:
    """Send what is due until nothing is left, for about ``seconds``; return how many attempts.

    Safe to run anywhere, at once and at any time: each delivery is taken by one only. The database
    is used by this thread alone; the others call.
    """
    end = time.monotonic() + seconds
    under_way: dict[Future[Outcome], Claim] = {}
    attempts = 0
    with ThreadPoolExecutor(AT_ONCE) as callers:
        while True:
            if time.monotonic() < end:
                for claim in _claim_beside(under_way.values(), clock()):
                    under_way[callers.submit(_attempt, claim, clock)] = claim
            if not under_way:
                return attempts
            done, _others = wait(under_way, _GLANCE_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                note_outcome(under_way.pop(future), future.result())
                attempts += 1


def message_of(*, type: str, occurred_at: datetime, data: object) -> bytes:  # noqa: A002  # the member's name
    """Return the body of a message, the same at each attempt."""
    body = {"type": type, "timestamp": instant(occurred_at), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _claim_beside(under_way: Collection[Claim], now: datetime) -> list[Claim]:
    """Take what there is room for beside what is under way."""
    room = AT_ONCE - len(under_way)
    if room == 0:
        return []
    at_each = Counter(claim.endpoint_id for claim in under_way)
    busy = [endpoint for endpoint, count in at_each.items() if count >= AT_ONCE_TO_EACH]
    return claim_due(limit=room, of_each=AT_ONCE_TO_EACH, busy=busy, now=now)


def _attempt(claim: Claim, clock: Clock) -> Outcome:
    """Send one message; whatever goes wrong is the outcome."""
    at, begun = clock(), time.monotonic()
    status, failure, excerpt = None, "", ""
    try:
        answer = _send(claim, at)
        status, excerpt = answer.status, answer.excerpt
    except calls.CallFailed as error:
        failure = error.code
    except signing.SecretLost:
        failure = "secret_lost"
    except Exception:  # noqa: BLE001  # one message must not stop the others
        _log.exception("webhook_not_sent", delivery=str(claim.delivery_id))
        failure = "internal_error"
    milliseconds = int((time.monotonic() - begun) * 1_000)
    return Outcome(
        at=at, milliseconds=milliseconds, status=status, failure=failure, excerpt=excerpt
    )


def _send(claim: Claim, at: datetime) -> calls.Answer:
    sealed = [claim.secret, claim.former_secret]
    secrets = [signing.open_sealed(one) for one in sealed if one is not None]
    data = json.loads(claim.data)
    body = message_of(type=claim.type, occurred_at=claim.occurred_at, data=data)
    headers = signing.headers_of(message=claim.event_id, at=at, body=body, secrets=secrets)
    return calls.post(claim.url, body=body, headers=headers)
