"""Codes that come by mail, and requests that are sent again with them."""

import re
from typing import Any, Final

from django.core import mail

_CODE: Final = re.compile(r"code is (\d{6})")


def mailed_code() -> str:
    """Return the code of the last mail."""
    found = _CODE.search(str(mail.outbox[-1].body))
    assert found
    return found[1]


def with_code(question: Any) -> dict[str, str]:
    """Return the headers with which a request passes that was answered with a question."""
    assert question["code"] == "step_up_required", question
    return {"Step-Up-Challenge": question["challenge"], "Step-Up-Code": mailed_code()}
