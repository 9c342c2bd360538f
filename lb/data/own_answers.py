"""The answers that the balancer makes itself, in its log: no other has them."""

from typing import Final

from lb.data.fleet import log

MOST_A_SECOND: Final = 100
"""Whoever floods the balancer fills no disk with what it says to that."""


class OwnAnswers:
    """Logs each, so many a second; of the rest it says how many they were."""

    def __init__(self) -> None:
        self._second = 0
        self._logged = 0
        self._left_out = 0

    def made(self, status: int, code: str, request_id: bytes, *, now: float) -> None:
        """Log an answer under the id of its request; the code says why it was made."""
        if int(now) != self._second:
            self._begin(int(now))
        if self._logged == MOST_A_SECOND:
            self._left_out += 1
            return
        self._logged += 1
        log("answered_itself", status=status, code=code, request_id=request_id.decode())

    def _begin(self, second: int) -> None:
        if self._left_out:
            log("answers_not_logged", count=self._left_out)
        self._second, self._logged, self._left_out = second, 0, 0
