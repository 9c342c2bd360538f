"""In and out: logging in with password and one-time code, fresh tokens, logging out."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from client.failures import ExitCode, Failure, failure_of
from client.line import Answer, Line, Request
from client.questions import Questions
from client.screen import Screen
from client.tokens import Tokens, TokenStore

LOGGED_OUT: Final = "Nobody is logged in here."
MOST_CODES: Final = 3


class Door:
    """Knows the tokens of the person at the terminal.

    A token that the environment gave (``BANK_TOKEN``) is taken as it is: it is never renewed and
    never kept.
    """

    def __init__(self, line: Line, store: TokenStore, *, given: str | None) -> None:
        self._line = line
        self._store = store
        self._given = given

    @property
    def can_renew(self) -> bool:
        """Whether the token in use is one that can be renewed."""
        return not self._given

    def token(self) -> str:
        """Return the access token.

        Raises:
            Failure: there is none.
        """
        if self._given:
            return self._given
        kept = self._store.load()
        if kept is None:
            raise Failure(LOGGED_OUT, ExitCode.LOGGED_OUT, hint="bank login")
        return kept.access

    def renew(self, refused: str) -> Answer | None:
        """Get fresh tokens in place of one that was refused; return what hindered, if anything."""
        with self._store.locked():
            kept = self._store.load()
            if kept is None or kept.access != refused:
                # Another command was faster.
                return None
            answer = self._ask("/auth/refresh", {"refresh_token": kept.refresh})
            if answer.is_temporary:
                # It says nothing about what the token was for: that was not done.
                return replace(answer, status=HTTPStatus.SERVICE_UNAVAILABLE, is_lost=False)
            if answer.is_refusal:
                self._store.forget()
                return answer
            self._store.save(_tokens(answer))
        return None

    def log_in(self, *, email: str, password: str, questions: Questions, screen: Screen) -> None:
        """Log in, and keep the tokens.

        Raises:
            Failure: the bank does not let them in.
        """
        answer = self._ask("/auth/login", {"email": email, "password": password})
        if answer.code == "mfa_required":
            answer = self._second_factor(answer, questions=questions, screen=screen)
        if answer.is_refusal:
            raise failure_of(answer.status, answer.body)
        with self._store.locked():
            file = self._store.save(_tokens(answer))
        if file is not None:
            screen.warn(f"This system has no key ring. Your tokens are in {file}: keep it yours.")

    def log_out(self) -> None:
        """End the log-in, here and at the bank.

        Raises:
            Failure: nobody is logged in, or the bank does not answer.
        """
        if self._given:
            message = "BANK_TOKEN is set: this log-in is ended where the token was made."
            raise Failure(message, ExitCode.USAGE)
        token = self.token()
        answer = self._leave(token)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = self.renew(token) or self._leave(self.token())
        if answer.is_temporary:
            raise failure_of(answer.status, answer.body)
        with self._store.locked():
            self._store.forget()

    def _second_factor(self, asked: Answer, *, questions: Questions, screen: Screen) -> Answer:
        for _attempt in range(MOST_CODES):
            if not questions.can_ask:
                break
            code = questions.secret("One-time code of your authenticator, or a recovery code")
            answer = self._ask("/auth/mfa", {"mfa_token": asked.body["mfa_token"], "code": code})
            if answer.code != "wrong_code":
                return answer
            screen.warn("This code is not right.")
        return asked

    def _leave(self, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        return self._line.send(Request(method="POST", path="/auth/logout", headers=headers))

    def _ask(self, path: str, body: dict[str, str]) -> Answer:
        return self._line.send(Request(method="POST", path=path, body=body))


def _tokens(answer: Answer) -> Tokens:
    return Tokens(access=answer.body["access_token"], refresh=answer.body["refresh_token"])
