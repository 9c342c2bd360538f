"""What the client makes of answers that a bank seldom gives: a server reads them off a list."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from time import sleep

import pytest

from client.bank import KEY, Bank
from client.door import Door
from client.failures import ExitCode, Failure
from client.line import Line
from client.questions import Questions
from client.screen import Form, Screen
from client.tokens import Tokens, TokenStore
from tests.client.conftest import SILENT_KEYRING
from tests.client.sitting import sitting
from tests.functional.runtime.terminal import CTRL_C

BUSY = (503, {"code": "busy", "detail": "Too busy."})
NOT_KNOWN = (401, {"code": "invalid_token", "detail": "This token has run out."})
DONE = (201, {"id": "7"})
FRESH = (200, {"access_token": "new", "refresh_token": "next"})
LOST: tuple[int, object] = (0, {})
NEVER: tuple[int, object] = (-1, {})
LOSSES: list[tuple[int, object]] = [
    LOST,
    (504, "<h1>Gateway Timeout</h1>"),
    (503, {"code": "outcome_unknown", "detail": "It fell silent."}),
]


@dataclass
class Script:
    """Answers by path, in their order (the last one for ever), and the requests that came."""

    answers: Mapping[str, list[tuple[int, object]]]
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    came: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    is_over: Event = field(default_factory=Event)

    def next(self, path: str) -> tuple[int, object]:
        """Return the answer that is due."""
        with self.lock:
            left = self.answers[path]
            return left.pop(0) if len(left) > 1 else left[0]

    def keys(self) -> list[str]:
        """Return under which keys changes were asked for."""
        return [headers[KEY] for _method, _path, headers in self.came if KEY in headers]


@contextmanager
def scripted(script: Script) -> Iterator[None]:
    """Serve the answers of a script."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, format: str, *_values: object) -> None:  # noqa: A002  # its name there
            """Say nothing."""

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path = self.path.removeprefix("/api/v1")
            script.came.append((self.command, path, dict(self.headers)))
            status, body = script.next(path)
            if status < 0:
                script.is_over.wait()
            if status <= 0:
                self.close_connection = True
                return
            is_page = isinstance(body, str)
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            script.is_over.set()
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tokens in a folder of this test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", SILENT_KEYRING)


def bank_of(script: Script, waits: list[float] | None = None) -> Bank:
    """Return the bank for a person whose access token is ``old``."""
    store = TokenStore(script.address)
    with store.locked():
        store.save(Tokens(access="old", refresh="first"))
    line = Line(script.address)
    return Bank(
        line,
        Door(line, store, given=None),
        screen=Screen(Form.TABLE, is_quiet=True),
        questions=Questions(is_wanted=False),
        sleep=([] if waits is None else waits).append,
    )


def failing(bank: Bank, path: str = "/transfers") -> Failure:
    """Expect a change to fail, and return how."""
    with pytest.raises(Failure) as caught:
        bank.change(path, {})
    return caught.value


class TestChange:
    def test_is_asked_for_again_under_one_key_with_longer_pauses(self) -> None:
        script, waits = Script({"/transfers": [BUSY, LOST, BUSY, DONE]}), list[float]()
        with scripted(script):
            assert bank_of(script, waits).change("/transfers", {}) == {"id": "7"}
        assert len(script.keys()) == 4
        assert len(set(script.keys())) == 1
        assert waits == [0.5, 1.0, 2.0]

    def test_waits_as_long_as_the_bank_says(self) -> None:
        script, waits = Script({"/transfers": [BUSY, DONE]}, {"Retry-After": "7"}), list[float]()
        with scripted(script):
            bank_of(script, waits).change("/transfers", {})
        assert waits == [7.0]

    def test_does_not_wait_for_a_quarter_of_an_hour(self) -> None:
        refusal = (429, {"code": "too_many_codes", "detail": "Later."})
        script, waits = Script({"/transfers": [refusal]}, {"Retry-After": "900"}), list[float]()
        with scripted(script):
            assert failing(bank_of(script, waits)).exit_code == ExitCode.UNREACHABLE
        assert waits == []

    def test_that_stays_busy_was_not_made(self) -> None:
        script = Script({"/transfers": [BUSY]})
        with scripted(script):
            failure = failing(bank_of(script))
        assert failure.exit_code == ExitCode.UNREACHABLE
        assert "Nothing was done" in failure.message

    @pytest.mark.parametrize("lost", LOSSES)
    def test_once_lost_is_never_said_not_to_be_made(self, lost: tuple[int, object]) -> None:
        script = Script({"/transfers": [lost, BUSY]})
        with scripted(script):
            failure = failing(bank_of(script))
        assert failure.exit_code == ExitCode.UNKNOWN
        assert f"--key {script.keys()[0]}:" in failure.hint

    def test_once_lost_stays_unknown_when_the_log_in_ends(self) -> None:
        script = Script({"/transfers": [LOST, NOT_KNOWN], "/auth/refresh": [NOT_KNOWN]})
        with scripted(script):
            assert failing(bank_of(script)).exit_code == ExitCode.UNKNOWN

    def test_that_is_interrupted_leaves_its_key(self, tmp_path: Path) -> None:
        script = Script({"/holds/7/release": [NEVER]})
        ask = ("holds", "release", "7", "--yes")
        with scripted(script):
            bank_of(script)
            with sitting(*ask, url=script.address, home=tmp_path) as desk:
                desk.sees("…")
                while not script.keys():
                    sleep(0.01)
                desk.types(CTRL_C)
                desk.sees(
                    f"It may have been done. Try: the same command with --key {script.keys()[0]}:"
                )
                desk.ends(130)


class TestChangeWithoutKey:
    """What the bank takes no idempotency key for."""

    @pytest.mark.parametrize("lost", LOSSES)
    def test_is_not_sent_again_where_it_would_be_done_twice(self, lost: tuple[int, object]) -> None:
        script = Script({"/me/keys": [lost, DONE]})
        with scripted(script), pytest.raises(Failure) as caught:
            bank_of(script).change_once("/me/keys", {}, look="bank keys list")
        assert len(script.came) == 1
        assert script.keys() == []
        assert caught.value.exit_code == ExitCode.UNKNOWN
        assert caught.value.hint.startswith("bank keys list,")

    def test_is_sent_again_while_nothing_was_done(self) -> None:
        script = Script({"/me/keys": [BUSY, DONE]})
        with scripted(script):
            made = bank_of(script).change_once("/me/keys", {}, look="bank keys list")
        assert made == {"id": "7"}

    def test_is_sent_again_where_that_comes_to_the_same(self) -> None:
        script = Script({"/payees": [LOST, BUSY, DONE]})
        with scripted(script):
            assert bank_of(script).ensure("/payees", {}) == {"id": "7"}
        assert script.keys() == []

    def test_once_lost_is_never_said_not_to_be_made(self) -> None:
        script = Script({"/payees": [LOST, BUSY]})
        with scripted(script), pytest.raises(Failure) as caught:
            bank_of(script).ensure("/payees", {})
        assert caught.value.exit_code == ExitCode.UNKNOWN
        assert "the same command again" in caught.value.hint


class TestToken:
    def test_is_renewed_once_by_commands_that_need_it_at_once(self) -> None:
        script = Script({"/auth/refresh": [FRESH, NOT_KNOWN]})
        with scripted(script):
            bank_of(script)
            doors = [
                Door(Line(script.address), TokenStore(script.address), given=None) for _ in range(4)
            ]
            with ThreadPoolExecutor() as several:
                hindrances = list(several.map(lambda door: door.renew("old"), doors))
            assert hindrances == [None] * 4
            assert [path for _method, path, _headers in script.came] == ["/auth/refresh"]
            assert TokenStore(script.address).load() == Tokens(access="new", refresh="next")

    def test_is_kept_while_the_bank_cannot_renew_it(self) -> None:
        script = Script({"/transfers": [NOT_KNOWN], "/auth/refresh": [BUSY]})
        with scripted(script):
            assert failing(bank_of(script)).exit_code == ExitCode.UNREACHABLE
            assert TokenStore(script.address).load() == Tokens(access="old", refresh="first")

    def test_that_is_over_is_forgotten(self) -> None:
        script = Script({"/transfers": [NOT_KNOWN], "/auth/refresh": [NOT_KNOWN]})
        with scripted(script):
            assert failing(bank_of(script)).exit_code == ExitCode.LOGGED_OUT
            assert TokenStore(script.address).load() is None

    def test_does_not_follow_to_another_address(self) -> None:
        script = Script({"/transfers": [(302, "<h1>Found</h1>")]}, {"Location": "/elsewhere"})
        with scripted(script):
            assert failing(bank_of(script)).exit_code == ExitCode.FAILED
        assert [path for _method, path, _headers in script.came] == ["/transfers"]


def test_what_is_read_next_is_not_older_than_what_was_changed() -> None:
    script = Script({"/transfers": [DONE], "/accounts": [(200, {})]}, {"X-Consistency-Token": "t"})
    with scripted(script):
        bank_of(script).change("/transfers", {})
        bank_of(script).get("/accounts")
        with pytest.MonkeyPatch.context() as later:
            later.setattr("client.recent.LIFE_SECONDS", -1)
            bank_of(script).get("/accounts")
    sent = [headers.get("X-Consistency-Token") for _method, _path, headers in script.came]
    assert sent == [None, "t", None]


def test_a_listing_is_read_page_by_page() -> None:
    pages = [
        (200, {"transfers": [{"id": "1"}, {"id": "2"}], "next_cursor": "c"}),
        (200, {"transfers": [{"id": "3"}, {"id": "4"}]}),
    ]
    first, second = "/transfers?limit=3", "/transfers?limit=1&cursor=c"
    script = Script({first: pages[:1], second: pages[1:]})
    with scripted(script):
        found = list(bank_of(script).listed("/transfers", "transfers", limit=3))
    assert [one["id"] for one in found] == ["1", "2", "3"]
