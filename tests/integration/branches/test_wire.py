"""Messages to nodes."""

import pytest

from tests.branches import MUM, Branches
from transactions.branches.wire import Line, say

LONG = 32_000_000


class TestSay:
    """One message, whatever its size."""

    @pytest.mark.parametrize("length", [1, LONG])
    def test_sends_all_of_it(self, branches: Branches, length: int) -> None:
        assert branches
        line = Line(MUM)
        # Far more than the network takes at once.
        answer = say(line, f"SELECT length('{'x' * length}')", seconds=30)
        assert answer.row == (str(length),)
        line.put_back()

    def test_loses_what_does_not_answer_in_time_and_hangs_up(self, branches: Branches) -> None:
        assert branches
        line = Line(MUM)
        answer = say(line, "SELECT pg_sleep(10)", seconds=0.2)
        assert answer.is_lost
        assert not line.is_up
