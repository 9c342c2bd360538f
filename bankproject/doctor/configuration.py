"""Whether the settings are those of a bank that strangers can reach."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import ERROR, Tags, run_checks

from accounts import second_factor
from bankproject.doctor.findings import Findings, danger, warning
from core.plaintext import is_here
from notifications.webhooks import resealing

KEY_LETTERS: Final = 40
# Django's own advice that the bank goes by another way, each for a reason of its own.
_DECIDED: Final = frozenset({"security.W019"})


def is_public() -> bool:
    """Tell whether the bank's public address is for others than this machine."""
    return not is_here(urlsplit(settings.PUBLIC_URL).hostname or "")


def secrets() -> Findings:
    """Tell of keys that can be guessed, and of those that are kept for too long."""
    for about, key in (
        ("SECRET_KEY", settings.SECRET_KEY),
        *(("SECRET_KEY_FALLBACKS", key) for key in settings.SECRET_KEY_FALLBACKS),
        *([("BALANCER_TOKEN", settings.BALANCER_TOKEN)] if settings.BALANCER_TOKEN else []),
    ):
        if len(key) < KEY_LETTERS or len(set(key)) < KEY_LETTERS // 4:
            yield danger(about, f"has fewer than {KEY_LETTERS} random letters: it can be guessed")


def former_keys() -> Findings:
    """Tell what still depends on keys from before."""
    if not settings.SECRET_KEY_FALLBACKS:
        return
    found = resealing.reseal_secrets(write=False) + second_factor.reseal_secrets(write=False)
    if found.anew:
        sentence = f"{found.anew} secrets are sealed under an earlier key; run manage.py reseal"
        yield warning("SECRET_KEY_FALLBACKS", sentence)
    else:
        sentence = "no secret needs it any more; unset it a day after the key was changed"
        yield warning("SECRET_KEY_FALLBACKS", sentence)
    if found.lost:
        yield danger("SECRET_KEY", f"{found.lost} secrets were sealed under a key that is gone")


def addresses() -> Findings:
    """Tell of addresses under which the bank should not answer, or cannot."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    allowed = settings.ALLOWED_HOSTS
    if "*" in allowed:
        yield danger("ALLOWED_HOSTS", "lets anybody choose the bank's name in links of mails")
    elif not any(host == one or (one[:1] == "." and host.endswith(one)) for one in allowed):
        yield danger("ALLOWED_HOSTS", f"lacks {host}, the host of PUBLIC_URL: nobody is answered")
    if settings.BACKEND_NETWORKS and not settings.TRUSTED_PROXY_COUNT:
        sentence = "is 0 behind a balancer: limits count all people as one, the balancer"
        yield danger("TRUSTED_PROXY_COUNT", sentence)


def openness() -> Findings:
    """Tell what is open that a demo may leave open and a bank may not."""
    if settings.DEBUG:
        yield danger("DEBUG", "is on: errors show code and settings to whoever causes them")
    if settings.ALLOW_PLAINTEXT:
        yield warning("ALLOW_PLAINTEXT", "is on: databases and the broker may be reached unguarded")
    if not is_public():
        return
    if settings.BANK_DEMO:
        yield danger("BANK_DEMO", "is on at a public address: everybody knows the demo's password")
    if not settings.STAFF_NEED_SECOND_FACTOR:
        yield danger("STAFF_NEED_SECOND_FACTOR", "is off: a password alone opens the admin")
    if settings.ALLOW_PRIVATE_ADDRESSES:
        sentence = "is on: webhooks of customers may reach machines of your own network"
        yield danger("ALLOW_PRIVATE_ADDRESSES", sentence)
    for name, channel in (("EMAIL_URL", settings.EMAIL_HOST), ("SMS_URL", settings.SMS_URL)):
        if not channel:
            yield warning(name, "is not set: what people should be told is put into files")


def django_advice() -> Findings:
    """Tell what Django itself says of a deployment, where others can reach it."""
    if not is_public():
        return
    for message in run_checks(tags=[Tags.security], include_deployment_checks=True):
        if message.id not in _DECIDED:
            say = danger if message.level >= ERROR else warning
            yield say(str(message.id), " ".join(str(message.msg).split()))
