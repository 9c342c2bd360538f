"""Log lines."""

import sys

import pytest
import structlog


class _FullDisk:
    def write(self, _line: str) -> None:
        message = "no space left"
        raise OSError(message)


@pytest.mark.parametrize("stream", [_FullDisk(), None], ids=["full", "none"])
def test_that_cannot_be_written_stop_no_work(
    stream: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "__stderr__", stream)
    structlog.get_logger("tests").warning("nothing_to_write_on")


def test_are_one_json_object_each(capfd: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("tests").warning("two\nlines", amount="1.00")
    (line,) = capfd.readouterr().err.splitlines()
    assert '"logger": "tests"' in line
    assert '"level": "warning"' in line
