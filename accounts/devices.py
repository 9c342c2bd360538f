"""What people log in with, in a few words that they recognise."""

from typing import Final

from accounts.models.door import LONGEST_DEVICE

UNKNOWN: Final = "Unknown device"
# The first that a browser names: each claims to be those below it, too.
_BROWSERS: Final = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS: Final = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


def device_of(user_agent: str) -> str:
    """Return a short name of a device, from what its program says of itself."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    product = user_agent.partition(" ")[0]
    plain = "".join(one for one in product if one.isascii() and one.isprintable())
    return plain[:LONGEST_DEVICE] or UNKNOWN


def _first(names: dict[str, str], text: str) -> str | None:
    return next((name for sign, name in names.items() if sign in text), None)
