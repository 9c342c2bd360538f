"""Every page there is, as everybody who may see it: by axe, in both themes, and on a narrow phone.

The pages are those of the table of permissions, so that one that is added is looked at, too. Files
are no pages; those of the API's documents are made by others and left out. With ``SCREENSHOTS=1``
in the environment, pictures of all are kept in ``screenshots/``.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.mfa.webauthn.internal.auth import WebAuthn
from axe_playwright_python.base import AXE_SCRIPT
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)
from playwright.sync_api import Browser, ConsoleMessage, Page

from accounts.models import User
from accounts.sessions import SessionStore
from core import clock
from tests.browsing import Chromium
from tests.permissions._belongings import Belongings, belongings_of
from tests.permissions._cast import Caller, cast
from tests.permissions._routes import Route, every_route
from tests.permissions.test_table import table

PICTURES: Final = Path(__file__).resolve().parents[2] / "screenshots"
DESK: Final = {"width": 1280, "height": 800}
NARROW: Final = 320
# Whoever may do most is shown the most.
EYES: Final = ("anonymous", "customer A", "employee", "superadmin")
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
# Of a passkey that there is: customer A has one.
_OF_A_PASSKEY: Final = ("mfa_edit_webauthn", "mfa_remove_webauthn")
# Colours that fade from one theme to the other would be seen in between: what has an end is at it
# at once, and so is what begins by that, until nothing changes any more.
_END_FADING: Final = """
async () => {
    const fades = one =>
        one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity;
    const fading = () => document.getAnimations().filter(fades);
    do {
        fading().forEach(one => one.finish());
        await new Promise(requestAnimationFrame);
    } while (fading().length);
}
"""
# How each text looks: its colour and size, whether it is switched off, what a link stands in, and
# all that is painted where it is, before or behind, wherever that comes from.
_LOOKS_OF_TEXTS: Final = """
() => {
    const isText = one =>
        one.matches("input, select, textarea")
        || [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    const isSeen = one => one.checkVisibility({opacityProperty: true, visibilityProperty: true});
    const paintOf = one => {
        const {backgroundColor, backgroundImage, opacity} = getComputedStyle(one);
        return [backgroundColor, backgroundImage, opacity].join(" ");
    };
    const all = [...document.querySelectorAll("*")].filter(isSeen)
        .map(one => ({one, box: one.getBoundingClientRect(), paint: paintOf(one)}));
    const painted = all.filter(({paint}) => paint !== "rgba(0, 0, 0, 0) none 1");
    const meets = (a, b) =>
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const look = ({one, box}) => {
        const {color, fontSize, fontWeight, textShadow, textDecoration} = getComputedStyle(one);
        const isOff = one.closest(":disabled, [aria-disabled=true]") !== null;
        const around = one.matches("a") ? getComputedStyle(one.parentElement).color : "";
        const own = [color, fontSize, fontWeight, textShadow, textDecoration, isOff, around];
        const here = painted.filter(other => meets(box, other.box)).map(({paint}) => paint);
        return [...own, ...here].join("; ");
    };
    const texts = all.filter(({one}) => document.body.contains(one) && isText(one));
    return [...new Set(texts.map(look))];
}
"""
_WHAT_IS_WRONG: Final = """
async rules => (await axe.run({resultTypes: ["violations"], ...rules})).violations
"""
# WCAG 2.2 AA, and what axe's makers hold to be good practice. Colours cost more than all else, and
# are looked at where a text looks as none did before.
_OF_COLOURS: Final = ("color-contrast", "link-in-text-block")
_RULES_OF_COLOURS: Final = {"runOnly": _OF_COLOURS}
_OTHER_RULES: Final = {"rules": {rule: {"enabled": False} for rule in _OF_COLOURS}}


@dataclass(frozen=True)
class Bank:
    """A served bank, those who look at it, and what one of them has."""

    address: str
    callers: dict[str, Caller]
    belongings: Belongings
    looks: dict[str, set[str]]

    def pages(self, who: str) -> Iterator[Route]:
        """Give the routes that answer ``who`` with something."""
        lines = table()
        for route in every_route():
            line = lines.get((route.name, "GET"), {})
            is_file = "." in route.address.rpartition("/")[2]
            is_page = not is_file and not route.address.startswith("/api/")
            if line.get(who) == "yes" and is_page:
                yield route

    def address_of(self, route: Route) -> str:
        """Return where a route is, with ids of what there is."""
        return self.address + route.filled(self.belongings.ids_of(route))


@dataclass
class Looking:
    """One pair of eyes: a browser's page, what it complains of, and how texts looked so far."""

    page: Page
    looks: dict[str, set[str]]
    faults: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    here: str = ""

    def note(self, fault: str) -> None:
        """Note what is wrong here."""
        self.faults.append(f"{self.here}: {fault}")

    def hear(self, said: ConsoleMessage) -> None:
        """Note an error that the browser writes down."""
        if said.type == "error":
            self.note(said.text[:300])

    def look(self, address: str, picture: str) -> None:
        """Open a page, and hold it against what pages have to be; let files and redirects be."""
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]  # a width and a height
        answer = self.page.request.get(address, max_redirects=0)
        is_page = "text/html" in answer.headers.get("content-type", "")
        # What programs ask may be refused for want of what a page would have sent before.
        if answer.status >= (400 if is_page else 500):
            self.note(f"answers {answer.status}")
        if answer.status != 200 or not is_page:
            return
        # Before it opens: whatever fades from one theme to the other would be seen in between.
        self.page.emulate_media(color_scheme=THEMES[0])
        self.page.goto(address, wait_until="load")
        self._note_violations(_OTHER_RULES)
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            self.page.evaluate(_END_FADING)
            self._keep(f"{picture}-{theme}")
            self._look_at_colours(theme)
        self._narrow(picture)
        self.seen.add(picture)

    def _look_at_colours(self, theme: str) -> None:
        looks = set(self.page.evaluate(_LOOKS_OF_TEXTS))
        if not looks <= self.looks[theme]:
            self._note_violations(_RULES_OF_COLOURS, theme)
        self.looks[theme] |= looks

    def _note_violations(self, rules: dict[str, Any], where: str = "") -> None:
        for violation in self.page.evaluate(_WHAT_IS_WRONG, rules):
            self.note(f"{where} {_told(violation)}".strip())

    def _narrow(self, picture: str) -> None:
        self.page.set_viewport_size({"width": NARROW, "height": 700})
        self._keep(f"{picture}-phone")
        wider = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if wider > 0:
            self.note(f"{wider} pixels too wide at {NARROW}")

    def _keep(self, picture: str) -> None:
        if "SCREENSHOTS" in os.environ:
            self.page.screenshot(path=PICTURES / f"{picture}.png", full_page=True)


def _told(violation: dict[str, Any]) -> str:
    places = [" ".join(map(str, node["target"])) for node in violation["nodes"][:3]]
    return f"{violation['id']} at {', '.join(places)}"


@pytest.fixture(scope="module")
def bank(site: str) -> Bank:
    """Give a served bank with somebody of each role, one of whom has one of everything."""
    people, callers = cast()
    belongings = with_passkey(belongings_of(people), people["customer A"])
    return Bank(site, callers, belongings, {theme: set() for theme in THEMES})


def with_passkey(belongings: Belongings, owner: User) -> Belongings:
    """Let somebody have a passkey, as a device without a maker's name would have made it."""
    place = sha256(b"127.0.0.1").digest()
    secret = ec.generate_private_key(ec.SECP256R1())
    key = ES256.from_cryptography_key(secret.public_key())  # type: ignore[no-untyped-call]  # not typed there
    made = AttestedCredentialData.create(Aaguid.NONE, b"passkey", key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(place, flags, 0, made)
    said = CollectedClientData.create("webauthn.create", b"challenge", "https://127.0.0.1")
    credential = {
        "id": websafe_encode(b"passkey"),
        "rawId": websafe_encode(b"passkey"),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(said),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }
    passkey = WebAuthn.add(owner, "Telephone", credential).instance
    ids = {name: {"pk": str(passkey.pk)} for name in _OF_A_PASSKEY}
    return replace(belongings, ids_by_route={**belongings.ids_by_route, **ids})


def looking_as(browser: Browser, bank: Bank, who: str) -> Looking:
    """Open a browser's page in which somebody is logged in."""
    context = browser.new_context(reduced_motion="reduce")
    if session := bank.callers[who].session:
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": session, "url": bank.address}])
    # Once for all pages: it is long, and each way through the protocol costs.
    context.add_init_script(AXE_SCRIPT)
    looking = Looking(context.new_page(), bank.looks)
    looking.page.on("console", looking.hear)
    looking.page.on("pageerror", lambda error: looking.note(str(error)))
    return looking


def _let_have_said_again_who_it_is(session: str) -> None:
    """Open the pages that ask for the password once more, however long the looking takes."""
    store = SessionStore(session)
    at = (clock.now() + timedelta(hours=1)).timestamp()
    store[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": at, "reauthenticated": True}
    ]
    store[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = store[SESSION_KEY]
    store.save()


@pytest.mark.parametrize("who", EYES)
def test_a_page_keeps_nobody_out(bank: Bank, chromium: Chromium, who: str) -> None:
    if session := bank.callers[who].session:
        _let_have_said_again_who_it_is(session)
    with chromium.lent() as browser:
        looking = looking_as(browser, bank, who)
        for route in bank.pages(who):
            looking.here = f"{route.name} ({route.address}) as {who}"
            name = route.name.replace(":", "-").replace("/", "-")
            looking.look(bank.address_of(route), f"{name}-{who.replace(' ', '-')}")
    assert not looking.faults, "\n".join(looking.faults)
    # The furthest that one gets: behind the password once more, and to a passkey.
    furthest = {f"{name}-customer-A" for name in ("mfa_generate_recovery_codes", *_OF_A_PASSKEY)}
    assert who != "customer A" or furthest <= looking.seen
