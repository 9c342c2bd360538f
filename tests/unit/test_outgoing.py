"""Which addresses the bank calls for people, and which tricks do not get past it."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from core.outgoing import AddressRefused, HostUnknown, check_address, ip_addresses_of, read_address

Resolver = Callable[..., Any]
PUBLIC = "93.184.215.14"


@pytest.fixture(autouse=True)
def strict(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    settings.ALLOW_PLAINTEXT = False


def resolving_to(*answers: str) -> Resolver:
    """Return a resolver whose every question has the next of these answers; the last one stays."""
    left = list(answers)

    def getaddrinfo(_host: str, port: int, **_options: Any) -> list[Any]:
        found = (left.pop(0) if len(left) > 1 else left[0]).split()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    return getaddrinfo


def code_of(url: str) -> str:
    with pytest.raises(AddressRefused) as refused:
        check_address(url)
    assert refused.value.field == "url"
    return refused.value.code


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1.2.3/",
        "https://10.0.0.1/",
        "https://172.31.255.255/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://192.0.0.1/",
        "https://192.88.99.1/",
        "https://198.18.0.1/",
        "https://203.0.113.9/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:93.184.215.14]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:53aa:64c::1]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[fc00::1]/",
        "https://[fd12:3456::1]/",
        "https://[fe80::1]/",
        "https://[ff02::1]/",
        "https://localhost/",
    ],
)
def test_an_address_that_is_not_public_is_refused(url: str) -> None:
    assert code_of(url) == "address_not_public"


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.01/",
        "https://1.2.3.4.5/",
        "https://example.0x10/",
        "https:///path",
        "https://",
        "https://exa mple.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/\n",
        "https://ex\u0430mple.org/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://exam\u202eple.org/",
        "https://example.org/\0",
        "https://example..org/",
        "https://example.org./",
        "https://-example.org/",
        "https://%31%32%37.0.0.1/",
        "https://example.org/#part",
        "https://example.org/#",
        "https://[::1%25eth0]/",
        "https://[::1]example.org/",
        "https://[example.org]/",
        "https://[::1/",
        "https://example.org:/",
        "https://example.org:4a3/",
        "https://example.org:٤٤٣/",
        "https://" + "a" * 64 + ".org/",
        "https://example.org/" + "a" * 2_000,
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    assert code_of(url) == "address_invalid"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "HTTP://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "example.org",
        "javascript:alert(1)",
        "",
    ],
)
def test_only_https_is_called(url: str) -> None:
    assert code_of(url) in {"address_not_https", "address_invalid"}


@pytest.mark.parametrize("url", ["https://user@example.org/", "https://u:p@example.org/"])
def test_nobody_logs_in_by_an_address(url: str) -> None:
    assert code_of(url) == "address_has_user"


@pytest.mark.parametrize("port", [0, 1, 22, 25, 80, 1_023, 65_536, 99_999])
def test_ports_of_other_services_are_refused(port: int) -> None:
    assert code_of(f"https://example.org:{port}/") == "address_port_refused"


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://example.org:8443/a?b=c%20d", "https://EXAMPLE.org:443/"]
)
def test_a_public_address_is_called(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(f"{PUBLIC} 2606:2800:21f:cb07::1"))
    check_address(url)


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(HostUnknown, match=r"There is no host nobody\.invalid\."):
        check_address("https://nobody.invalid/")


def test_one_private_address_behind_a_name_is_one_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(f"{PUBLIC} 10.0.0.1"))
    assert code_of("https://example.org/") == "address_not_public"


def test_a_name_that_changes_its_mind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(PUBLIC, "169.254.169.254"))
    address = read_address("https://rebinding.example/")
    assert ip_addresses_of(address) == [PUBLIC]
    with pytest.raises(AddressRefused):
        ip_addresses_of(address)


def test_a_resolver_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_long_enough = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: asked_long_enough.wait() and [])
    with pytest.raises(HostUnknown):
        ip_addresses_of(read_address("https://slow.example/"), seconds=0.05)
    asked_long_enough.set()


class TestWhereTheOperatorAllowsIt:
    @pytest.fixture(autouse=True)
    def lenient(self, settings: Settings) -> None:
        settings.ALLOW_PRIVATE_ADDRESSES = True
        settings.ALLOW_PLAINTEXT = True

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:8001/", "http://[::1]:8001/", "https://10.1.2.3/", "https://[fd00::1]/"],
    )
    def test_private_networks_are_called(self, url: str) -> None:
        check_address(url)

    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/",
            "http://[fe80::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://224.0.0.1/",
        ],
    )
    def test_the_secrets_of_clouds_are_not(self, url: str) -> None:
        assert code_of(url) == "address_not_public"
