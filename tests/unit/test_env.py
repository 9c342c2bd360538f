"""The configuration's one reader: what it takes and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from bankproject import env
from core.plaintext import is_here

NAME = "BANK_TEST_SETTING"


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> "Setting":
    """Give a setting of the environment that the test may change."""
    return Setting(monkeypatch)


class Setting:
    """One setting of the environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hold on to what restores the environment."""
        self._monkeypatch = monkeypatch

    def is_(self, value: str) -> None:
        """Set it."""
        self._monkeypatch.setenv(NAME, value)


class TestANumberThatIsNeeded:
    def test_is_taken_as_told_and_never_guessed(self, setting: Setting) -> None:
        setting.is_("0")
        assert env.needed_number(NAME, "how many") == 0
        setting.is_("")
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be set: how many"):
            env.needed_number(NAME, "how many")

    def test_is_the_count_of_proxies_in_production(self) -> None:
        # By hand, for the settings of this process are others'.
        given = {**os.environ, "SECRET_KEY": "x", "DATABASE_URL": "postgresql://a@127.0.0.1/b"}
        given |= {"REDIS_URL": "redis://127.0.0.1/0", "BANK_VAR": "/nowhere"}
        command = [sys.executable, "-c", "import bankproject.settings.prod"]
        for count, says in (("", "TRUSTED_PROXY_COUNT must be set"), ("1", "")):
            run = subprocess.run(
                command,
                env={**given, "TRUSTED_PROXY_COUNT": count},
                capture_output=True,
                text=True,
                check=False,
            )
            assert says in run.stderr
            assert (run.returncode == 0) == (count == "1"), run.stderr


class TestText:
    def test_is_taken_as_it_stands(self, setting: Setting) -> None:
        setting.is_("$HOME is where the heart is")
        assert env.text(NAME) == "$HOME is where the heart is"

    def test_counts_as_unset_when_empty(self, setting: Setting) -> None:
        setting.is_("")
        assert env.text(NAME, "default") == "default"

    def test_that_is_missing_says_what_to_do(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} is not set .* `make run`"):
            env.text(NAME)


class TestFlag:
    @pytest.mark.parametrize(
        ("value", "meaning"), [("1", True), ("Yes", True), ("0", False), ("off", False)]
    )
    def test_is_yes_or_no(self, setting: Setting, value: str, *, meaning: bool) -> None:
        setting.is_(value)
        assert env.flag(NAME, default=not meaning) is meaning

    def test_that_is_neither_is_refused(self, setting: Setting) -> None:
        setting.is_("maybe")
        with pytest.raises(ImproperlyConfigured, match="must be 1 or 0, not 'maybe'"):
            env.flag(NAME, default=True)


class TestNumber:
    @pytest.mark.parametrize("value", ["", "12"])
    def test_is_a_whole_number(self, setting: Setting, value: str) -> None:
        setting.is_(value)
        assert env.number(NAME, 12) == 12

    @pytest.mark.parametrize("value", ["1e3", "-1", "1.5", "\u0661", "1_000", " 1"])
    def test_that_is_none_is_refused(self, setting: Setting, value: str) -> None:
        setting.is_(value)
        with pytest.raises(ImproperlyConfigured, match="must be a whole number"):
            env.number(NAME, 1)


class TestNetworks:
    def test_have_ports(self, setting: Setting) -> None:
        setting.is_("10.0.0.0/8:8000-8999, [fd00::/8]:8000,127.0.0.1:80")
        assert [(str(network), ports) for network, ports in env.networks(NAME)] == [
            ("10.0.0.0/8", range(8_000, 9_000)),
            ("fd00::/8", range(8_000, 8_001)),
            ("127.0.0.1/32", range(80, 81)),
        ]
        setting.is_("")
        assert env.networks(NAME) == []

    @pytest.mark.parametrize(
        "value", ["10.0.0.0/8", "10.0.0.1/8:80", "h:80", "10.0.0.0/8:9-8", "10.0.0.0/8:0", "::1:x"]
    )
    def test_that_are_not_understood_are_refused(self, setting: Setting, value: str) -> None:
        setting.is_(value)
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} must"):
            env.networks(NAME)


class TestDatabase:
    def test_is_split_into_its_parts(self, setting: Setting) -> None:
        setting.is_("postgresql://u:p%40ss%2F@127.0.0.1:5433/bank?connect_timeout=7")
        assert env.database(NAME) == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "bank",
            "USER": "u",
            "PASSWORD": "p@ss/",
            "HOST": "127.0.0.1",
            "PORT": "5433",
            "OPTIONS": {
                "connect_timeout": "7",
                "options": "-c lock_timeout=5s -c plan_cache_mode=force_generic_plan",
                "prepare_threshold": 1_000_000,
            },
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }

    @pytest.mark.parametrize(
        "url",
        [
            "mysql://u:secret@h/bank",
            "bank",
            "postgresql://h:x/bank",
            "postgresql://u:secret%zz@h/b",
        ],
    )
    def test_that_is_not_understood_is_refused_without_its_secrets(
        self, setting: Setting, url: str
    ) -> None:
        setting.is_(url)
        with pytest.raises(ImproperlyConfigured, match="must be postgresql://") as refusal:
            env.database(NAME)
        assert "secret" not in str(refusal.value)

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://db.example/bank",
            "postgresql://localhost,db.example/bank",
            "postgresql:///bank?host=db.example",
            "postgresql://localhost/bank?hostaddr=192.0.2.1",
            "postgresql://db.example/bank?sslmode=prefer",
        ],
    )
    def test_beyond_the_machine_needs_tls(self, setting: Setting, url: str) -> None:
        setting.is_(url)
        with pytest.raises(ImproperlyConfigured, match=r"without TLS; add \?sslmode=verify-full"):
            env.database(NAME)

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://db.example/bank?sslmode=verify-full",
            "postgresql://[::1]/bank",
            "postgresql:///bank?host=/run/postgresql",
        ],
    )
    def test_with_tls_or_on_the_machine_is_taken(self, setting: Setting, url: str) -> None:
        setting.is_(url)
        assert env.database(NAME)["NAME"] == "bank"


class TestBranches:
    def test_are_none_when_unset(self) -> None:
        assert env.branch_databases(NAME) == {}

    def test_are_known_by_their_codes(self, setting: Setting) -> None:
        setting.is_("MUM=postgresql://u:p@127.0.0.1:1/bank, DEL=postgresql://u:p@localhost/bank,")
        found = env.branch_databases(NAME)
        assert list(found) == ["MUM", "DEL"]
        assert found["MUM"]["PORT"] == "1"
        assert found["DEL"]["HOST"] == "localhost"

    def test_may_have_several_hosts(self, setting: Setting) -> None:
        setting.is_("MUM=postgresql://127.0.0.1,localhost/bank?a=b,DEL=postgresql://[::1]/bank")
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} of MUM must be postgresql://"):
            env.branch_databases(NAME)
        setting.is_("MUM=postgresql://127.0.0.1,localhost/bank,DEL=postgresql://[::1]/bank")
        found = env.branch_databases(NAME)
        assert found["MUM"]["HOST"] == "127.0.0.1,localhost"
        assert found["MUM"]["OPTIONS"]["target_session_attrs"] == "read-write"
        assert "target_session_attrs" not in found["DEL"]["OPTIONS"]

    @pytest.mark.parametrize(
        ("value", "complaint"),
        [
            ("postgresql://u:secret@localhost/bank?a=b", "must be CODE=postgresql://"),
            ("MUM", "must be CODE=postgresql://"),
            ("MUM=postgresql://u:secret@localhost/bank,DEL", "must be CODE=postgresql://"),
            ("mum=postgresql://u:secret@localhost/bank", "'mum' is no code for a branch"),
            ("M=postgresql://u:secret@localhost/bank", "'M' is no code for a branch"),
            ("REPLICA=postgresql://u:secret@localhost/bank", "'REPLICA' is no code for a branch"),
            ("MUM=mysql://u:secret@localhost/bank", "of MUM must be postgresql://"),
            ("MUM=", "of MUM must be postgresql://"),
            (
                "MUM=postgresql://u:secret@localhost/a,MUM=postgresql://u:secret@localhost/b",
                "names branch MUM twice",
            ),
            (
                "MUM=postgresql://u:secret@localhost/a,DEL=postgresql://v:secret@localhost/a",
                "gives MUM and DEL the same database",
            ),
            (
                "MUM=postgresql://u:secret@[::1]:1,localhost:2/a,DEL=postgresql://localhost:2/a",
                "gives MUM and DEL the same database",
            ),
            (
                "MUM=postgresql://u:secret@localhost,[::1]/a?port=1%2C2%2C3",
                "of MUM must be postgresql://",
            ),
            ("MUM=postgresql://u:secret@db.example/bank", "of MUM reaches db.example without TLS"),
            (
                "MUM=postgresql://u:secret@localhost,db.example/bank",
                "of MUM reaches db.example without TLS",
            ),
        ],
    )
    def test_that_are_not_understood_are_refused_without_their_secrets(
        self, setting: Setting, value: str, complaint: str
    ) -> None:
        setting.is_(value)
        with pytest.raises(ImproperlyConfigured, match=complaint) as refusal:
            env.branch_databases(NAME)
        assert "secret" not in str(refusal.value)


class TestAddress:
    def test_of_a_broker_beyond_the_machine_needs_tls(self, setting: Setting) -> None:
        setting.is_("redis://:secret@cache.example/0")
        with pytest.raises(ImproperlyConfigured, match="use rediss://"):
            env.broker(NAME)

    @pytest.mark.parametrize("url", ["cache.example", "http://", "redis://[x/0", "redis://h:y/0"])
    def test_of_a_broker_that_is_not_understood_is_refused(
        self, setting: Setting, url: str
    ) -> None:
        setting.is_(url)
        with pytest.raises(ImproperlyConfigured, match=NAME):
            env.broker(NAME)

    def test_of_the_public_loses_its_final_slash(self, setting: Setting) -> None:
        setting.is_("https://bank.example/")
        assert env.public_address(NAME, "") == "https://bank.example"

    def test_of_the_public_beyond_the_machine_needs_tls(self, setting: Setting) -> None:
        setting.is_("http://bank.example")
        with pytest.raises(ImproperlyConfigured, match="use https://"):
            env.public_address(NAME, "")

    def test_without_tls_passes_with_a_warning(
        self,
        setting: Setting,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("ALLOW_PLAINTEXT", "1")
        setting.is_("http://bank.example")
        assert env.public_address(NAME, "") == "http://bank.example"
        assert "WARNING: " in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("host", "here"),
        [
            ("127.0.0.1", True),
            ("127.8.8.8", True),
            ("::1", True),
            ("localhost", True),
            ("/run/postgresql", True),
            ("localhost.example", False),
            ("0.0.0.0", False),  # noqa: S104  an address to refuse
            ("10.0.0.1", False),
            ("127.0.0.1.example", False),
        ],
    )
    def test_is_known_to_be_here_or_not(self, host: str, *, here: bool) -> None:
        assert is_here(host) is here


class TestMail:
    def test_is_empty_without_a_server(self) -> None:
        assert env.mail(NAME) == {}

    def test_names_its_server(self, setting: Setting) -> None:
        setting.is_("smtp+tls://post%40bank:s%3Acret@mail.example:587")
        found = env.mail(NAME)
        assert found["EMAIL_HOST"] == "mail.example"
        assert found["EMAIL_HOST_USER"] == "post@bank"
        assert found["EMAIL_HOST_PASSWORD"] == "s:cret"
        assert found["EMAIL_USE_TLS"] is True

    def test_of_another_kind_is_refused(self, setting: Setting) -> None:
        setting.is_("ftp://mail.example")
        with pytest.raises(ImproperlyConfigured, match="smtp://"):
            env.mail(NAME)


class TestNodes:
    @pytest.fixture(autouse=True)
    def _forget(self) -> None:
        env.running_nodes.cache_clear()

    def test_of_a_running_bank_are_found(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        nodes = tmp_path / "nodes.json"
        nodes.write_text(f'{{"{NAME}": "from the bank"}}', encoding="ascii")
        monkeypatch.setattr(env, "NODES_FILE", nodes)
        assert env.text(NAME) == "from the bank"
        monkeypatch.setenv(NAME, "from the environment")
        assert env.text(NAME) == "from the environment"

    @pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
    def test_that_cannot_be_read_are_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
    ) -> None:
        nodes = tmp_path / "nodes.json"
        nodes.write_bytes(content)
        monkeypatch.setattr(env, "NODES_FILE", nodes)
        with pytest.raises(ImproperlyConfigured, match=f"{nodes} cannot be read: it is damaged"):
            env.text(NAME)


class TestSecretsFile:
    def test_is_read_in_place_of_the_setting(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_text("pass word \n", encoding="utf-8")
        monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
        assert env.text(NAME) == "pass word "

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [(None, "No such file"), (b"\n", "is empty"), (b"\xff", "is no text")],
    )
    def test_without_text_is_refused(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        content: bytes | None,
        complaint: str,
    ) -> None:
        if content is not None:
            (tmp_path / "secret").write_bytes(content)
        monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
        with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE names .*{complaint}"):
            env.optional(NAME)

    def test_of_a_list_may_be_empty(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        file = tmp_path / "secrets"
        monkeypatch.setenv(f"{NAME}_FILE", str(file))
        file.write_text("", encoding="utf-8")
        assert env.names(NAME, "") == []
        file.write_text("one,other\n", encoding="utf-8")
        assert env.names(NAME, "") == ["one", "other"]

    def test_beside_the_setting_is_refused_without_its_secret(
        self, setting: Setting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        setting.is_("secret")
        monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path))
        with pytest.raises(ImproperlyConfigured, match="are both set") as refusal:
            env.optional(NAME)
        assert "secret" not in str(refusal.value)
