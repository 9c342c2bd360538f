"""A web worker of gunicorn's whose threads take turns, so that requests are handed to nobody.

One thread leads: it waits for connections, and answers what comes itself. A request that takes
longer than ``LONG_SECONDS`` costs it the lead, and another thread goes on with the rest. So short
requests, which are nearly all, never cross threads, nor contend for the interpreter's lock; and a
long one, whatever it waits for, holds up nobody else's. After Schmidt, O'Ryan, Kircher, Pyarali and
Buschmann, "Leader/Followers" (2000).
"""

import errno
import os
import selectors
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from gunicorn.workers.base import Worker

from bankproject.web.answers import answer, environment, refuse
from bankproject.web.requests import Connection, GoneError
from lb.data.heads import RefusedError

LONG_SECONDS: Final = 0.05
_SHORT_OF: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_QUIET_SECONDS: Final = 0.25
"""How often a worker that nobody asks looks around; asked, after each ``LONG_SECONDS``."""
_ARRIVING_SECONDS: Final = 10.0
"""So long a request may take to arrive, as far as it is awaited."""
_LINGER_SECONDS: Final = 2.0
"""So long a worker that ends stays for what clients may be sending, and one hears a client out."""

log = structlog.get_logger(__name__)


class TurnsWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """Answers requests until it is told to end; then what has arrived, and no more."""

    alive: bool

    def init_process(self) -> None:
        """Begin, in the process of its own."""
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        # Held by the leader; given up for it when its request takes long.
        self._lead = threading.Lock()
        # Guards all below, and what connections say of their state.
        self._state = threading.Lock()
        self._term = 0
        self._busy_since = 0.0
        self._asked = False
        super().init_process()

    def run(self) -> None:
        """Serve, and look after those who do."""
        for listener in self.sockets:
            listener.setblocking(0)
            base = environment(listener.getsockname())
            self._selector.register(listener, selectors.EVENT_READ, base)
        for number in range(self.cfg.threads):
            threading.Thread(target=self._take_turns, name=f"web-{number}", daemon=True).start()
        self._look_after_all()
        self._end()

    # the first thread: it serves nobody

    def _look_after_all(self) -> None:
        looked_at = beaten_at = 0.0
        while self.alive:
            now = time.monotonic()
            if now >= beaten_at + 1:
                beaten_at = now
                self.notify()
                self._close_overdue(now)
                if self.ppid != os.getppid():
                    self.alive = False
            if self._asked:
                looked_at, self._asked = now, False
            self._depose(now)
            time.sleep(LONG_SECONDS if now < looked_at + 1 else _QUIET_SECONDS)

    def _depose(self, now: float) -> None:
        """Let another thread lead when the request of the one that does takes long."""
        with self._state:
            if self._busy_since and now > self._busy_since + LONG_SECONDS:
                self._term += 1
                self._busy_since = 0.0
                self._lead.release()

    def _close_overdue(self, now: float) -> None:
        with self._state:
            if not self._lead.locked():
                # All threads are busy, and nobody can have read what has come.
                for one in self._connections:
                    one.deadline = max(one.deadline, now + _LINGER_SECONDS)
                return
            overdue = [one for one in self._connections if not one.is_taken and one.deadline < now]
            for connection in overdue:
                self._forget(connection)

    def _end(self) -> None:
        """Take no new connections, and wait for those that are there."""
        for listener in self.sockets:
            self._close(listener)
        begun = time.monotonic()
        with self._state:
            for connection in self._connections:
                connection.deadline = min(connection.deadline, begun + _LINGER_SECONDS)
        while self._connections and time.monotonic() < begun + self.cfg.graceful_timeout:
            self.notify()
            self._close_overdue(time.monotonic())
            self._depose(time.monotonic())
            time.sleep(LONG_SECONDS)

    def _close(self, listener: Any) -> None:
        """Listen no more: whoever comes now must be told so at once, and not when this one is gone.

        Who came before is answered.
        """
        base = self._selector.unregister(listener).data
        while self._accept(listener, base):
            pass
        # gunicorn's own close would leave nothing to ask for a thread that is just looking.
        listener.sock.close()

    # the other threads

    def _take_turns(self) -> None:
        try:
            while True:
                self._lead.acquire()
                self._go_on_leading(self._term)
        except BaseException:
            # Nobody may lead any more: gunicorn puts another worker in the place of this one.
            log.exception("web_thread_failed")
            self.alive = False

    def _go_on_leading(self, term: int) -> None:
        """Wait for connections and answer them, until another thread has the lead."""
        while True:
            for key, _events in self._selector.select():
                if not isinstance(key.data, Connection):
                    self._accept(key.fileobj, key.data)
                elif self._take(key.data):
                    self._attend(key.data)
                    if not self._leave(key.data, term):
                        return

    def _accept(self, listener: Any, base: Mapping[str, Any]) -> bool:
        """Take a connection; tell whether there was one."""
        try:
            client, peer = listener.accept()
        except OSError as error:
            # Else another worker was faster, or the client is gone.
            if error.errno in _SHORT_OF:
                time.sleep(LONG_SECONDS)
            return False
        if len(self._connections) >= self.cfg.worker_connections:
            client.close()
            return True
        deadline = time.monotonic() + _ARRIVING_SECONDS
        with self._state:
            try:
                connection = Connection(client, peer, base, deadline=deadline)
                self._selector.register(client, selectors.EVENT_READ, connection)
                self._connections.add(connection)
            except OSError:
                client.close()
        return True

    def _take(self, connection: Connection) -> bool:
        """Take a connection, unless another thread has it: that one will see what has come."""
        with self._state:
            if connection.is_closed:
                return False
            if connection.is_taken:
                self._selector.unregister(connection.socket)
                connection.is_parked = True
                return False
            connection.is_taken = True
            self._asked = True
            self._busy_since = time.monotonic()
            return True

    def _leave(self, connection: Connection, term: int) -> bool:
        """Give a connection back; tell whether this thread leads still."""
        with self._state:
            connection.is_taken = False
            if connection.is_parked and not connection.is_closed:
                connection.is_parked = False
                self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            if self._term != term:
                return False
            self._busy_since = 0.0
            return True

    def _attend(self, connection: Connection) -> None:
        """Read what has come, and answer what is asked."""
        begins = connection.is_between_requests
        try:
            connection.receive()
            answered = self._answer_all(connection)
        except GoneError:
            self._drop(connection)
            return
        except BaseException:
            # The application ends this request, not the thread that answers others.
            log.exception("web_request_failed")
            self._drop(connection)
            return
        if connection.is_leaving:
            return
        now = time.monotonic()
        if connection.is_between_requests:
            connection.deadline = now + self.cfg.keepalive
        elif begins or answered:
            connection.deadline = now + _ARRIVING_SECONDS

    def _answer_all(self, connection: Connection) -> bool:
        """Answer each request that is there; tell whether any was. Raises ``GoneError``."""
        answered = False
        try:
            while (head := connection.next_request()) is not None:
                answered = True
                if not answer(self.wsgi, connection, head, closes=not self.alive):
                    self._dismiss(connection)
                    break
                connection.begin_next()
        except RefusedError as error:
            refuse(connection, error)
            self._dismiss(connection)
        return answered

    @staticmethod
    def _dismiss(connection: Connection) -> None:
        connection.leave()
        connection.deadline = time.monotonic() + _LINGER_SECONDS

    def _drop(self, connection: Connection) -> None:
        with self._state:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        """Close a connection; the state's lock is held."""
        connection.is_closed = True
        self._connections.discard(connection)
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)
        connection.socket.close()
