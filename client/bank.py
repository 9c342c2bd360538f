"""The bank, as a command sees it: asked with patience, and for nothing twice."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from client.door import Door
from client.failures import ExitCode, Failure, failure_of
from client.line import Answer, Line, Request
from client.questions import Questions
from client.screen import Screen

KEY: Final = "Idempotency-Key"
PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
LONGEST_WAIT: Final = 30.0
NEVER: Final = float("inf")
LARGEST_PAGE: Final = 100
MOST_CODES: Final = 3
_CODE_FROM: Final = {
    "email": "One-time code from the e-mail we have just sent",
    "totp": "One-time code of your authenticator",
}


class Bank:
    """Asks the bank in the name of whoever is logged in.

    A change is made once at most. When its answer is lost it is sent again: under the same key if
    the bank takes one, as it is where asking twice comes to the same, and elsewhere not at all.
    """

    def __init__(
        self,
        line: Line,
        door: Door,
        *,
        screen: Screen,
        questions: Questions,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._line = line
        self._door = door
        self._screen = screen
        self._questions = questions
        self._sleep = sleep

    def get(self, path: str, **query: object) -> Any:
        """Return what is at an address.

        Raises:
            Failure
        """
        return self._answer(Request(method="GET", path=path, query=query))

    def get_openly(self, path: str) -> Any:
        """Return what everybody may see, whoever asks.

        Raises:
            Failure
        """
        with self._screen.waiting():
            answer = self._line.send(Request(method="GET", path=path))
        if answer.is_refusal:
            raise failure_of(answer.status, answer.body or {})
        return answer.body

    def look(self, path: str, body: object) -> Any:
        """Return what the bank would do, of what it is told; it does nothing.

        Raises:
            Failure
        """
        return self._answer(Request(method="POST", path=path, body=body))

    def listed(
        self, path: str, member: str, *, limit: int, **query: object
    ) -> Iterator[Mapping[str, Any]]:
        """Yield up to ``limit`` items of a listing, page by page.

        Raises:
            Failure
        """
        cursor = None
        while limit > 0:
            size = min(limit, LARGEST_PAGE)
            page = self.get(path, limit=size, cursor=cursor, **query)
            yield from page[member][:limit]
            limit -= len(page[member])
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def change(
        self, path: str, body: object = None, *, method: str = "POST", key: str | None = None
    ) -> Any:
        """Let the bank do something, once for each key, and return its answer.

        Raises:
            Failure: it was refused, or nobody knows: the exit code tells.
        """
        key = key or fresh_key()
        tells = f"the same command with --key {key}: it is done once at most"
        headers = {KEY: key}
        return self._changed(
            Request(method=method, path=path, body=body, headers=headers, tells=tells)
        )

    def ensure(self, path: str, body: object = None, *, method: str = "POST") -> Any:
        """Let the bank do something that is done once however often it is asked for.

        Raises:
            Failure: it was refused, or nobody knows: the exit code tells.
        """
        tells = "the same command again: it does no more than once"
        return self._changed(Request(method=method, path=path, body=body, tells=tells))

    def change_once(
        self, path: str, body: object = None, *, method: str = "POST", look: str
    ) -> Any:
        """Let the bank do something that it would do twice if it were asked twice.

        ``look`` is the command that shows whether it was done.

        Raises:
            Failure: it was refused, or nobody knows: the exit code tells.
        """
        tells = f"{look}, before the same command again"
        return self._changed(
            Request(method=method, path=path, body=body, tells=tells, is_once=True)
        )

    def tries(self) -> Iterator[None]:
        """Yield as often as something is worth trying, after ever longer pauses."""
        yield
        for pause in PAUSES:
            self._sleep(pause)
            yield

    def _changed(self, request: Request) -> Any:
        try:
            return self._answer(request)
        except KeyboardInterrupt:
            self._screen.warn(f"It may have been done. Try: {request.tells}")
            raise

    def _answer(self, request: Request) -> Any:
        answer = self._stepped_up(request)
        if answer.is_refusal:
            raise failure_of(answer.status, answer.body or {})
        return answer.body

    def _stepped_up(self, request: Request) -> Answer:
        """Send a request; repeat it with a one-time code when the bank asks for one."""
        answer = self._patiently(request)
        asked = answer.body
        for _attempt in range(MOST_CODES):
            if answer.code == "step_up_required":
                asked = answer.body
            elif answer.code == "wrong_step_up_code":
                self._screen.warn("This code is not right.")
            else:
                break
            if not self._questions.can_ask:
                hint = "the same command at a terminal"
                raise failure_of(answer.status, answer.body, hint=hint)
            answer = self._patiently(self._with_code(request, asked))
        return answer

    def _with_code(self, request: Request, asked: Mapping[str, Any]) -> Request:
        label = _CODE_FROM.get(asked.get("channel", ""), "One-time code")
        headers = {
            **request.headers,
            "Step-Up-Challenge": asked["challenge"],
            "Step-Up-Code": self._questions.secret(label),
        }
        return replace(request, headers=headers)

    def _patiently(self, request: Request) -> Answer:
        """Send a request again and again while that may help."""
        may_be_done = False
        pauses = iter(PAUSES)
        while True:
            answer = self._authorised(request)
            # After a lost answer, "log in first" says nothing about what became of the request.
            says_nothing = may_be_done and answer.status == HTTPStatus.UNAUTHORIZED
            if not (answer.is_temporary or says_nothing):
                return answer
            may_be_done = may_be_done or answer.may_be_done
            wait = _wait(answer, next(pauses, NEVER))
            if wait > LONGEST_WAIT or says_nothing or (may_be_done and request.is_once):
                raise _given_up(request, answer, may_be_done=may_be_done)
            self._screen.note(f"{_reason(answer)} Trying again in {wait:g} s.")
            self._sleep(wait)

    def _authorised(self, request: Request) -> Answer:
        """Send a request with a token; once more with a fresh one if it has run out."""
        token = self._door.token()
        with self._screen.waiting():
            answer = self._line.send(_bearing(request, token))
            if answer.status != HTTPStatus.UNAUTHORIZED or not self._door.can_renew:
                return answer
            hindrance = self._door.renew(token)
            return hindrance or self._line.send(_bearing(request, self._door.token()))


def fresh_key() -> str:
    """Return an idempotency key that nobody has used."""
    from uuid import uuid4

    return str(uuid4())


def _bearing(request: Request, token: str) -> Request:
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})


def _reason(answer: Answer) -> str:
    told = answer.body or {}
    return str(told.get("detail") or told.get("title") or f"The bank answered {answer.status}.")


def _wait(answer: Answer, pause: float) -> float:
    """Return how long to wait: as long as the bank says, if it does."""
    told = answer.headers.get("Retry-After", "")
    return max(pause, float(told)) if told.isdecimal() else pause


def _given_up(request: Request, answer: Answer, *, may_be_done: bool) -> Failure:
    problem = answer.body if answer.code else None
    if not request.tells:
        return Failure(_reason(answer), ExitCode.UNREACHABLE, problem=problem)
    if may_be_done:
        message = f"{_reason(answer)} Nobody knows yet whether it was done."
        return Failure(message, ExitCode.UNKNOWN, hint=request.tells, problem=problem)
    message = f"{_reason(answer)} Nothing was done."
    return Failure(message, ExitCode.UNREACHABLE, hint="again, later", problem=problem)
