"""One request and its answer: who is tried, what is tried again, and what the client gets."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lb.data.bodies import LAST_CHUNK, in_chunk
from lb.data.heads import RequestHead, ResponseHead
from lb.data.standing import Trust
from lb.data.upstream import BackendConnection

if TYPE_CHECKING:
    from lb.data.balancer import Balancer
    from lb.data.client import ClientConnection
    from lb.data.fleet import Member

_Framing = Callable[[bytes, bool], bytes]
"""Returns a piece of a body as the client gets it; the second says whether it is the last."""

MOST_TRIES: Final = 3
MOST_KEPT: Final = 65_536
"""A body that is longer is not kept to be sent again."""

_SERVER_FAULT: Final = 500
_TOO_MANY: Final = 429
_ELSEWHERE: Final = frozenset({502, 503, 504})
"""What another backend may answer better."""


class Exchange:
    """Sends a request to a backend, at once or again, and its answer to the client.

    Again only what cannot have been read (no connection came about), and what may be done twice:
    GET, HEAD, and POST with an Idempotency-Key. Never to the same backend, and within the budget.
    """

    __slots__ = (
        *("_answering", "_balancer", "_client", "_connecting", "_connection", "_framing", "_kept"),
        *("_member", "_sent_at", "_tried", "closes", "is_sent", "request"),
    )

    def __init__(
        self, balancer: "Balancer", client: "ClientConnection", request: RequestHead
    ) -> None:
        self.request = request
        self.is_sent = False
        self.closes = request.close
        self._balancer = balancer
        self._client = client
        self._kept: bytes | None = b""
        self._tried: tuple[Member, ...] = ()
        self._member: Member | None = None
        self._connection: BackendConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._answering = False
        self._framing: _Framing = _plain

    def now(self) -> float:
        """Return the balancer's time."""
        return self._balancer.now()

    # the client's side

    def begin(self, payload: bytes, now: float, *, ended: bool) -> None:
        """Send the request, with what of its body is there."""
        self._kept = payload
        self.is_sent = ended
        self._try(now, reuse=True)

    def add(self, payload: bytes, *, ended: bool) -> None:
        """Send more of the body."""
        self.is_sent = ended
        if self._kept is not None:
            kept = self._kept + payload
            self._kept = kept if len(kept) <= MOST_KEPT or self._connection is None else None
        if self._connection is not None:
            if not self.request.repeatable:
                self._kept = None
            self._connection.transport.write(self._framed(payload, ended=ended))
            if ended:
                self._client.deadline = self.now() + self._balancer.deadlines.backend_seconds

    def abandon(self) -> None:
        """Stop, because the client is gone."""
        self._leave_backend()

    def overdue(self) -> None:
        """Stop, because the backend took too long."""
        self._count_failure()
        self._leave_backend()
        self._balancer.counters.timeouts += 1
        if self._answering:
            self._client.transport.abort()
        else:
            self._give_up(504, "The backend took too long.", "backend_timeout")

    def hold_answer(self) -> None:
        """Let the backend wait until the client has read what there is."""
        if self._connection is not None:
            self._connection.transport.pause_reading()

    def release_answer(self) -> None:
        """Let the backend go on."""
        if self._connection is not None:
            self._connection.transport.resume_reading()

    # the backend's side

    def hold_request(self) -> None:
        """Let the client wait."""
        self._client.hold()

    def release_request(self) -> None:
        """Let the client go on."""
        self._client.release()

    def answered(
        self,
        connection: BackendConnection,
        response: ResponseHead,
        payload: bytes,
        now: float,
        *,
        ended: bool,
    ) -> None:
        """Take the head of an answer, and what of the body came with it."""
        self._judge(response.status, now)
        if response.status in _ELSEWHERE and self._may_repeat():
            if not ended:
                connection.close()
            self._again()
            return
        self._answering = True
        self._kept = None
        self.closes = self.closes or not self.is_sent or self._balancer.draining
        head = self._head(response)
        if ended:
            self._connection = None
        self._client.answer(response.status, head + self._framing(payload, ended), now)
        if ended:
            self._end(now)

    def pass_on(self, payload: bytes, now: float, *, ended: bool) -> None:
        """Take more of the answer's body."""
        data = self._framing(payload, ended)
        if ended:
            # It waits for others now: a client that reads slowly must not hold it.
            self._connection = None
        if data:
            self._client.continue_answer(data, now)
        if ended:
            self._end(now)

    def switched(self, connection: BackendConnection, response: ResponseHead) -> None:
        """Open the tunnel that the client asked for; nobody else gets one."""
        if not (self.request.upgrade and response.websocket):
            connection.close()
            self.lost(connection, "the backend switches to what nobody asked for")
            return
        now = self.now()
        self._judge(response.status, now)
        self._end_load()
        self._connection = None
        head = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        self._client.answer(101, response.lines + head, now)
        self._client.open_tunnel(connection)
        connection.tunnel_to(self._client)

    def lost(self, connection: BackendConnection, reason: str) -> None:
        """Go on without this connection: elsewhere when that is safe."""
        self._balancer.counters.broken += 1
        self._connection = None
        if self._answering:
            # The client must not take a part for the whole: its connection breaks too.
            self._count_failure()
            self._end_load()
            self._client.transport.abort()
        elif connection.is_reused and not connection.is_heard and self._can_repeat():
            # The backend gave up a connection that waited, which is no fault.
            self._end_load()
            self._try(self.now(), reuse=False)
        else:
            self._count_failure()
            if self._may_repeat():
                self._again()
            else:
                self._end_load()
                self.closes = True
                self._give_up(502, f"Between bank and balancer, {reason}.", "backend_broken")

    # trying

    def _try(self, now: float, *, reuse: bool) -> None:
        member = self._balancer.fleet.choose(now, repeatable=self._can_repeat(), tried=self._tried)
        if member is None:
            self._give_up(503, "No backend is there to answer.", "no_backend")
            return
        self._member = member
        member.load.begin(self, now)
        if reuse and member.idle:
            self._send(member.idle.pop(), now)
            return
        self._client.hold()
        self._client.deadline = now + self._balancer.deadlines.connect_seconds * MOST_TRIES
        self._connecting = asyncio.create_task(self._connect(member))

    async def _connect(self, member: "Member") -> None:
        connection = BackendConnection(member, self._balancer.parser)
        loop = asyncio.get_running_loop()
        try:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._balancer.deadlines.connect_seconds):
                    await loop.create_connection(lambda: connection, *member.address)
        except asyncio.CancelledError:
            connection.close()
            raise
        self._connecting = None
        if connection.is_open():
            self._send(connection, self.now())
        else:
            connection.close()
            self._unreached()

    def _unreached(self) -> None:
        """Try another: nothing of the request left this process."""
        self._balancer.counters.unreached += 1
        self._count_failure()
        if self._take_retry():
            self._again()
        else:
            self._end_load()
            self._give_up(502, "No backend could be reached.", "backend_unreachable")

    def _again(self) -> None:
        self._balancer.counters.retries += 1
        if self._member is not None:
            self._tried = (*self._tried, self._member)
        self._connection = None
        self._end_load()
        self._try(self.now(), reuse=True)

    def _send(self, connection: BackendConnection, now: float) -> None:
        request, client = self.request, self._client
        self._connection = connection
        self._sent_at = now
        data = client.forwarded(request)
        if request.has_body:
            kept = self._kept or b""
            data += self._framed(kept, ended=self.is_sent)
            if len(kept) > MOST_KEPT or not request.repeatable:
                self._kept = None
        self._balancer.counters.sent += 1
        connection.member.requests += 1
        connection.carry(self, data)
        if self.is_sent:
            client.deadline = now + self._balancer.deadlines.backend_seconds
        else:
            client.await_body()
        client.release()

    def _framed(self, payload: bytes, *, ended: bool) -> bytes:
        if not self.request.chunked:
            return payload
        data = in_chunk(payload) if payload else b""
        return data + LAST_CHUNK if ended else data

    def _can_repeat(self) -> bool:
        return self.request.repeatable and self._kept is not None

    def _may_repeat(self) -> bool:
        """Take a retry, when the request allows one."""
        return self._can_repeat() and self._take_retry()

    def _take_retry(self) -> bool:
        """Take a retry, when there is another backend and the budget has one."""
        tried = (*self._tried, self._member)
        return (
            len(tried) < MOST_TRIES
            and self._balancer.fleet.has_other(tried)
            and self._balancer.budget.allow(self.now())
        )

    # judging

    def _judge(self, status: int, now: float) -> None:
        member = self._member
        if member is None:
            return
        if status < _SERVER_FAULT and status != _TOO_MANY:
            self._balancer.fleet.succeeded(member, now - self._sent_at, now)
        else:
            # Too many requests is the client's fault: it ejects nobody.
            self._balancer.fleet.failed(member, now, ejects=status != _TOO_MANY)

    def _count_failure(self) -> None:
        if self._member is not None:
            self._balancer.fleet.failed(self._member, self._balancer.now(), ejects=True)

    def _end(self, now: float) -> None:
        self._end_load()
        self._client.answer_ended(now, closes=self.closes)

    def _end_load(self) -> None:
        if self._member is not None:
            self._member.load.end(self)
            if self._member.ejection.trust is Trust.PROBATION:
                self._member.ejection.end_probation()
            self._member = None

    def _leave_backend(self) -> None:
        connection, self._connection = self._connection, None
        if self._connecting is not None:
            self._connecting.cancel()
        self._end_load()
        if connection is not None:
            connection.close()

    # answering

    def _give_up(self, status: int, detail: str, code: str) -> None:
        self.closes |= not self.is_sent or self._balancer.draining
        self._client.answer_error(status, detail, code, closes=self.closes)
        self._client.answer_ended(self.now(), closes=self.closes)

    def _head(self, response: ResponseHead) -> bytes:
        """Return the answer's head in our own words, and settle how its body is framed."""
        framing = b""
        if self.request.method == "HEAD" or response.is_bodiless:
            self._framing = _nothing
        elif response.length is None and self.request.is_old:
            self.closes = True
        elif response.length is None:
            self._framing = _chunked
            framing = b"Transfer-Encoding: chunked\r\n"
        closing = b"Connection: close\r\n\r\n" if self.closes else b"\r\n"
        return response.lines + framing + closing


def _plain(payload: bytes, _ended: bool) -> bytes:  # noqa: FBT001  # for each piece: by place
    return payload


def _nothing(_payload: bytes, _ended: bool) -> bytes:  # noqa: FBT001  # as above
    return b""


def _chunked(payload: bytes, ended: bool) -> bytes:  # noqa: FBT001  # as above
    data = in_chunk(payload) if payload else b""
    return data + LAST_CHUNK if ended else data
