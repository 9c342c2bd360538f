"""SMS_URL: what it may say, and what it is refused for."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.sms import ConsoleSender, FileSender, FolderSender, sender_for
from notifications.channels.twilio import TwilioSender

ACCOUNT = "AC" + "0123456789abcdef" * 2


class TestSmsUrl:
    def test_may_name_the_terminal(self) -> None:
        assert isinstance(sender_for("console://"), ConsoleSender)

    def test_may_name_a_file(self) -> None:
        assert sender_for("file:///tmp/sms%20log") == FileSender(file=Path("/tmp/sms log"))  # noqa: S108

    def test_may_name_a_folder(self, tmp_path: Path) -> None:
        assert sender_for(f"file://{tmp_path}") == FolderSender(folder=tmp_path)

    def test_may_name_a_twilio_number(self) -> None:
        sender = sender_for(f"twilio://{ACCOUNT}:t%2Fken@/+15551234567")
        assert isinstance(sender, TwilioSender)
        assert (sender.account, sender.token, sender.number) == (ACCOUNT, "t/ken", "+15551234567")

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("smtp://host", "must be console://, file:///path or twilio://"),
            ("twilio", "must be console://"),
            ("console://x", "takes nothing after it"),
            ("file://relative/path", "three slashes"),
            ("file:///", "three slashes"),
            (f"twilio://{ACCOUNT}:secret@api.twilio.com/+15551234567", "names no host"),
            ("twilio://AC12:secret@/+15551234567", "SID"),
            (f"twilio://{ACCOUNT}@/+15551234567", "its token"),
            (f"twilio://{ACCOUNT}:secret@/15551234567", "sender's number"),
            (f"twilio://{ACCOUNT}:secret@/", "sender's number"),
            (f"twilio://{ACCOUNT}:secret@/+1555123456\u0667", "sender's number"),
            (f"twilio://{ACCOUNT}:secret@/+15551234567?x=1", "must be console://"),
        ],
    )
    def test_that_nothing_could_be_sent_by_is_refused_without_its_secrets(
        self, url: str, complaint: str
    ) -> None:
        with pytest.raises(ImproperlyConfigured, match=complaint) as refusal:
            sender_for(url)
        assert "secret" not in str(refusal.value)
