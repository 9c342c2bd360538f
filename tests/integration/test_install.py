"""The installation that `make run` and `make test` begin with, on a Python of the machine."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bankproject.runtime import install
from tests.functional.runtime.terminal import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project that needs one small library, and has nothing installed."""
    project = tmp_path / "a bank"
    script = project / "bankproject" / "runtime" / "install.py"
    script.parent.mkdir(parents=True)
    shutil.copy(PROJECT / "bankproject" / "runtime" / "install.py", script)
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("six=="))
    end = next(n for n in range(start + 1, len(lines)) if "--hash" not in lines[n])
    (project / "requirements.txt").write_text("\n".join(lines[start:end]) + "\n")
    return project


def run(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Install on the Python below this one's virtual environment."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    return subprocess.run(
        [python, "bankproject/runtime/install.py", "requirements.txt"],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_has_terminal_client(project: Path) -> None:
    """Check that ``bank`` runs from anywhere, and what lies there does not get into it."""
    client = project / "client"
    client.mkdir()
    said = "import sys\ndef main(): sys.exit(' '.join(sys.argv[1:]))\n"
    (client / "main.py").write_text(said, encoding="ascii")
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "client.py").write_text("raise SystemExit('a trap')\n", encoding="ascii")
    command = [str(project / ".venv" / "bin" / "bank"), "whoami", "a b"]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.stderr == "whoami a b\n"


class TestInstall:
    def test_installs_what_is_listed_and_only_when_that_changes(self, project: Path) -> None:
        first = run(project)
        assert first.returncode == 0, first.stderr
        assert "Installing requirements.txt" in first.stdout
        python = project / ".venv" / "bin" / "python"
        subprocess.run([python, "-c", "import six"], check=True)
        assert_has_terminal_client(project)
        assert run(project).stdout == ""

        wanted = project / "requirements.txt"
        wanted.write_text(wanted.read_text() + "# changed\n")
        assert "Installing" in run(project).stdout

        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "six"], check=True)
        wanted.write_text(re.sub(r"sha256:....", "sha256:0000", wanted.read_text()))
        refused = run(project)
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1].startswith("Cannot install: pip could not install")

    def test_without_venv_names_the_package(self, project: Path, tmp_path: Path) -> None:
        shadow = tmp_path / "shadow"
        shadow.mkdir()
        (shadow / "ensurepip.py").write_text("raise ImportError\n", encoding="ascii")
        refused = run(project, PYTHONPATH=str(shadow))
        assert refused.returncode == 1
        assert refused.stderr == (
            "Cannot install: this Python has no venv; "
            "on Debian and Ubuntu: apt-get install python3-venv\n"
        )
        assert not (project / ".venv").exists()

    def test_on_an_old_python_names_the_oldest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "version_info", (3, 10, 13))
        with pytest.raises(install.InstallError, match=r"3\.11 or newer is needed, this is 3\.10;"):
            install.refuse_unfit_python()


class TestLock:
    @pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
    def test_names_no_index_and_no_path_and_hashes_everything(self, name: str) -> None:
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert not [word for word in ("://", "--index", "--find", "file:") if word in text]
        pins = [line for line in text.splitlines() if line[:1].isalnum()]
        assert pins
        assert all(line.endswith("\\") for line in pins)
