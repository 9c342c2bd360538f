"""As whom a server runs: PostgreSQL refuses root, so root hands it to *nobody*."""

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from bankproject.runtime.errors import StartError


@cache
def server_prefix() -> tuple[str, ...]:
    """Return the words to put before a server's command.

    None for an ordinary user. For root a user namespace in which root is *nobody*, so that the
    files stay root's; where namespaces are forbidden, *nobody* itself.

    Raises:
        StartError: root, and neither way is open.
    """
    if os.geteuid() != 0:
        return ()
    nobody = pwd.getpwnam("nobody")
    namespace = _namespace(nobody)
    return namespace if works(namespace) else _other_user(nobody)


def give_to_server(path: Path) -> None:
    """Make ``path`` the property of whoever the server runs as."""
    if server_prefix()[:1] == ("setpriv",):
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _namespace(nobody: pwd.struct_passwd) -> tuple[str, ...]:
    ids = (f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    return ("unshare", "--user", *ids, "--")


def _other_user(nobody: pwd.struct_passwd) -> tuple[str, ...]:
    ids = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}")
    prefix = ("setpriv", *ids, "--clear-groups", "--")
    if not works(prefix):
        message = "PostgreSQL refuses to run as root here; start the bank as an ordinary user"
        raise StartError(message)
    return prefix


def works(prefix: tuple[str, ...]) -> bool:
    """Tell whether a command can be run behind ``prefix`` on this machine."""
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0
