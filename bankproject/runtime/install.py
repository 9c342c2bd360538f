"""Install the bank's libraries into ``.venv``, only when their list has changed.

    python3 bankproject/runtime/install.py requirements.txt [requirements-dev.txt]

Runs on the machine's own Python and needs nothing but its standard library.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
OLDEST_PYTHON = (3, 11)
INTERRUPTED = 130
# A program for the shell and for Python at once, as pip writes them: the first line of a program
# may hold neither a space nor a long path. What lies in the folder where it runs is not imported.
COMMAND = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys
sys.path.insert(0, {project!r})
from client.main import main
main()
"""


class InstallError(Exception):
    """Say in one line what hinders the installation."""


def main() -> int:
    """Install the lists named on the command line, and `bank`; return the exit status."""
    try:
        refuse_unfit_python()
        # Two makes at once: the second waits, then finds everything done.
        lock = os.open(PROJECT, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_venv()
        for name in sys.argv[1:]:
            install(PROJECT / name)
        write_command()
    except InstallError as error:
        sys.stderr.write(f"Cannot install: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"Cannot install: {error.filename}: {error.strerror}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def refuse_unfit_python() -> None:
    """Check the Python that runs this.

    Raises:
        InstallError: it is too old, or lacks venv.
    """
    if sys.version_info < OLDEST_PYTHON:
        message = "Python 3.11 or newer is needed, this is {}.{}; try make PYTHON=python3.11"
        raise InstallError(message.format(*sys.version_info))
    try:
        import ensurepip  # noqa: F401  Debian leaves it out
        import venv  # noqa: F401  and this, too
    except ImportError:
        message = "this Python has no venv; on Debian and Ubuntu: apt-get install python3-venv"
        raise InstallError(message) from None


def make_venv() -> None:
    """Make ``.venv`` unless it is there and whole.

    Raises:
        InstallError: it cannot be made.
    """
    has_pip = any(VENV.glob("lib/python*/site-packages/pip/__main__.py"))
    if has_pip and (VENV / "bin" / "python").exists():
        return
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    if done.returncode != 0:
        message = f"{VENV} cannot be made, see above"
        raise InstallError(message)


def install(wanted: Path) -> None:
    """Install exactly what ``wanted`` lists, by its hashes.

    Raises:
        InstallError: pip fails; it has said why.
    """
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    installed = VENV / f"installed-{wanted.stem}"
    if installed.exists() and installed.read_text() == digest:
        return
    sys.stdout.write(f"Installing {wanted.name} (a minute, once) …\n")
    sys.stdout.flush()
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-qq"]
    options = ["--no-input", "--require-hashes", "--requirement", str(wanted)]
    if subprocess.run([*pip, "install", *options], check=False).returncode != 0:
        message = f"pip could not install {wanted.name}, see above"
        raise InstallError(message)
    installed.write_text(digest)


def write_command() -> None:
    """Write ``.venv/bin/bank``, the terminal client of this project, unless it is there."""
    command = VENV / "bin" / "bank"
    wanted = COMMAND.format(python=VENV / "bin" / "python", project=str(PROJECT))
    if command.exists() and command.read_text(encoding="utf-8") == wanted:
        return
    new = command.with_suffix(".new")
    new.write_text(wanted, encoding="utf-8")
    new.chmod(0o755)
    new.replace(command)


if __name__ == "__main__":
    sys.exit(main())
