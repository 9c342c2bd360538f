"""The line to one bank: requests out, answers back, and whether a lost one may have arrived."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from client import __version__
from client.failures import ExitCode, Failure
from client.recent import HEADER, Recent

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

ROOT: Final = "/api/v1"
SILENCE: Final = 0
CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 40
_LOCAL: Final = "localhost"
_TEMPORARY: Final = frozenset({SILENCE, 429, 502, 503, 504})
_VAGUE: Final = frozenset({502, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the API; ``path`` is below ``/api/v1``.

    ``tells`` is what a person does to learn of a change whose answer is lost; nothing else has it.
    What ``is_once`` is not sent again then: the bank would do it twice, or deny that it was done.
    """

    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tells: str = ""
    is_once: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank answered; with the status 0, that it did not.

    ``is_lost``: the request may have arrived, and been done.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    is_lost: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether the bank did not do what it was asked."""
        return self.status == SILENCE or self.status >= HTTPStatus.BAD_REQUEST

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may fare better in a moment."""
        return self.status in _TEMPORARY

    @property
    def may_be_done(self) -> bool:
        """Whether nobody knows if the request was done."""
        return self.is_lost or self.status in _VAGUE or self.code == "outcome_unknown"


def refuse_plaintext(url: str, *, is_allowed: bool) -> None:
    """Let secrets leave this machine only under TLS.

    Raises:
        Failure: ``url`` is no address of a bank, or one of another machine without TLS.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        message = f"{url} is not an address such as https://bank.example."
        raise Failure(message, ExitCode.USAGE)
    if parts.scheme == "http" and not is_allowed and not _is_here(parts.hostname):
        message = f"{url} is another machine, and without TLS everybody on the way can read along."
        raise Failure(message, ExitCode.USAGE, hint="https, or --allow-plaintext if you must")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _LOCAL


class Line:
    """The connection to the bank at one address, kept open between requests."""

    def __init__(self, url: str) -> None:
        import urllib3

        self._root = url.rstrip("/") + ROOT
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        self._recent = Recent(url)
        # Without tries of its own it does not follow to other addresses, either.
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def send(self, request: Request) -> Answer:
        """Send a request once, and return the answer.

        Raises:
            Failure: what came is not from a bank, or not from one to be trusted.
        """
        import urllib3

        try:
            got = self._pool.request(
                request.method,
                self._root + request.path + _query(request.query),
                body=None if request.body is None else json.dumps(request.body).encode(),
                headers={
                    **_headers(request.body),
                    **self._recent.headers(),
                    **request.headers,
                },
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            return _silence(f"Nobody answers at {self._root}.", is_lost=False)
        except urllib3.exceptions.SSLError as error:
            message = f"{self._root} cannot be trusted: {error}"
            raise Failure(message, ExitCode.UNREACHABLE) from None
        except urllib3.exceptions.HTTPError as error:
            return _silence(f"The connection broke ({type(error).__name__}).", is_lost=True)
        self._recent.note(got.headers.get(HEADER))
        return Answer(got.status, self._body(got), got.headers)

    def _body(self, got: "BaseHTTPResponse") -> Any:
        if not got.data:
            return None
        with suppress(ValueError):
            if _kind(got) in {"application/json", "application/problem+json"}:
                return json.loads(got.data)
        if got.status in _TEMPORARY:
            # What stands in front of the bank says so in words of its own.
            return {"detail": "The bank does not answer."}
        message = f"{self._root} answers {got.status}, and not as a bank would."
        raise Failure(message, ExitCode.FAILED, hint="--url, or BANK_URL")


def _kind(got: "BaseHTTPResponse") -> str:
    return str(got.headers.get("Content-Type", "")).partition(";")[0]


def _silence(reason: str, *, is_lost: bool) -> Answer:
    return Answer(SILENCE, {"detail": reason}, is_lost=is_lost)


def _headers(body: object) -> dict[str, str]:
    told = {"Accept": "application/json", "User-Agent": f"bank-terminal/{__version__}"}
    return told if body is None else {**told, "Content-Type": "application/json"}


def _query(query: Mapping[str, object]) -> str:
    given = {name: str(value) for name, value in query.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
