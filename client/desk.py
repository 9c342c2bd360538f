"""Where a command works: the bank, the screen, and the person, if one is there."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import typer

from client.bank import Bank
from client.door import Door
from client.line import Line, refuse_plaintext
from client.questions import Questions
from client.screen import Form, Screen
from client.tokens import TokenStore


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a person set, by options or by the environment."""

    url: str
    allow_plaintext: bool
    token: str | None
    form: Form
    is_quiet: bool
    no_input: bool
    is_agreed: bool = False
    key: str | None = None


class Desk:
    """Where a command works. What it does not use is not made."""

    def __init__(self, settings: Settings) -> None:
        """Sit down.

        Raises:
            Failure: secrets would travel openly to the bank's address.
        """
        refuse_plaintext(settings.url, is_allowed=settings.allow_plaintext)
        self.settings = settings
        self.screen = Screen(settings.form, is_quiet=settings.is_quiet)
        self.questions = Questions(is_wanted=not settings.no_input)

    @cached_property
    def door(self) -> Door:
        """In and out of the bank."""
        return Door(self._line, TokenStore(self.settings.url), given=self.settings.token)

    @cached_property
    def bank(self) -> Bank:
        """The bank, for whoever is logged in."""
        return Bank(self._line, self.door, screen=self.screen, questions=self.questions)

    def change(self, path: str, body: object = None, *, method: str = "POST") -> Any:
        """Let the bank do something, under the key that the person gave, if any.

        Raises:
            Failure: it was refused, or nobody knows.
        """
        return self.bank.change(path, body, method=method, key=self.settings.key)

    @property
    def must_agree(self) -> bool:
        """Whether a person is here who has not yet said yes."""
        return self.questions.can_ask and not self.settings.is_agreed

    def agree(self, question: str) -> None:
        """Go on only with the person's consent.

        Raises:
            Failure: it is not given.
        """
        self.questions.agree(question, is_agreed=self.settings.is_agreed)

    @cached_property
    def _line(self) -> Line:
        return Line(self.settings.url)


def desk_of(context: typer.Context) -> Desk:
    """Return the desk of the command that runs."""
    desk = context.obj
    if not isinstance(desk, Desk):
        raise TypeError
    return desk
