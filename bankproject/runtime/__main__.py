"""Run a whole bank on this machine: servers, pages, background work.

python -m bankproject.runtime           run it in this terminal until Ctrl-C
python -m bankproject.runtime stop      close one that runs elsewhere, or what is left of it
python -m bankproject.runtime forget    the same, and remove its data
"""

import argparse
import json
import signal
import sys
from types import FrameType

from django.core.exceptions import ImproperlyConfigured
from rich.console import Console

from bankproject import env
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home, write_private
from bankproject.runtime.lock import hold_lock, stop_holder
from bankproject.runtime.planning import DEFAULT_PORT, make_plan, prepare_servers
from bankproject.runtime.ports import LOOPBACK, refuse_taken
from bankproject.runtime.processes import stop_leftovers
from bankproject.runtime.supervision import supervise

INTERRUPTED = 130


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", nargs="?", choices=("run", "stop", "forget"), default="run")
    action = parser.parse_args().action
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    home = Home(folder=env.VAR)
    try:
        if action == "run":
            _run(home)
        else:
            _stop(home, forget=action == "forget")
    except (StartError, ImproperlyConfigured) as error:
        sys.stderr.write(f"The bank cannot start: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The bank cannot start: {error.filename or ''} {error.strerror}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(home: Home) -> None:
    console = Console(highlight=False)
    home.open()
    with hold_lock(home):
        left = stop_leftovers(folder=home.processes, home=home.folder)
        if left:
            console.print(f"[yellow]Stopped what an earlier run left: {', '.join(left)}[/]")
        # Before the first setting is asked for: a killed run's would stand in for those unset now.
        home.nodes.unlink(missing_ok=True)
        # On which address of this machine the pages are served; others need TLS in front.
        # The page of the demo's outbox is shown on this machine alone.
        host = env.own_address("HOST", LOOPBACK)
        # Where the pages are served.
        port = env.number("PORT", DEFAULT_PORT)
        refuse_taken(port, host)
        home.refuse_full_disk()
        plan = make_plan(home, host=host, port=port)
        prepare_servers(plan)
        try:
            write_private(home.nodes, json.dumps(plan.nodes()))
            supervise(plan, console)
        finally:
            home.nodes.unlink(missing_ok=True)
            stop_leftovers(folder=home.processes, home=home.folder)


def _stop(home: Home, *, forget: bool) -> None:
    if home.folder.is_dir():
        home.open()
        stop_holder(home)
        stop_leftovers(folder=home.processes, home=home.folder)
    if forget:
        home.forget()


if __name__ == "__main__":
    sys.exit(main())
