"""What files of XML are made of."""

import re
from typing import Final
from xml.sax.saxutils import escape

# What XML 1.0 cannot hold, however it is written.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *inside: str) -> str:
    """Return an element around others."""
    return f"<{name}>{''.join(inside)}</{name}>"


def text(name: str, words: str, *, longest: int = 0) -> str:
    """Return an element with words, no more than ``longest`` characters of them, if given.

    An empty one is left out.
    """
    shown = _UNWRITABLE.sub("", words)[: longest or None]
    return element(name, escape(shown)) if shown else ""
