"""Keep a bank's processes running, by supervisord's own machinery inside this process.

What it adds: every process records itself, a lost terminal means stop, the bank opens in stages,
and the person at the terminal is told.
"""

import http.client
import io
import os
import shlex
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from rich.console import Console
from supervisor import events, loggers
from supervisor.datatypes import RestartUnconditionally, signal_number
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ProcessConfig, ProcessGroupConfig, ServerOptions
from supervisor.poller import Poller
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from bankproject.runtime.errors import StartError
from bankproject.runtime.history import History, read_history
from bankproject.runtime.home import Home
from bankproject.runtime.places import places_of
from bankproject.runtime.ports import LOOPBACK
from bankproject.runtime.processes import BALANCER, POSTGRES, record_self
from bankproject.runtime.programs import PROJECT, Plan, Program, Stage

# Stages of one rank stop together, higher ranks before lower ones.
RANKS: Final[dict[Stage, int]] = {
    "servers": 10,
    "opening": 20,
    "pages": 30,
    "background": 30,
    # Where people come ends first, while what answers them is there.
    "balancing": 40,
}
LOG_BYTES: Final = 10 * 1024 * 1024
# A program that ends sooner is started again after a pause that grows by a second each time.
STEADY_SECONDS: Final = 10
RETRIES: Final = 1000
TURN_SECONDS: Final = 0.2
# What supervisord handles, and what a program is told to end by.
TAKEN_SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGCHLD,
    signal.SIGUSR2,
)

# A full disk is told by whom it hinders, not by every line that cannot be logged.
loggers.Handler.handleError = lambda _handler: None


def supervise(plan: Plan, console: Console) -> None:
    """Run the bank until it is told to stop; return when all of it has ended.

    Raises:
        StartError: it did not open, with the reason.
    """
    if console.is_terminal:
        # What the opening prints comes here through a pipe, and may still move and have colours.
        os.environ["TTY_COMPATIBLE"] = "1"
    options = _Options(plan)
    bank = _Bank(options, plan, console)
    with suppress(ExitNow):
        # A hang-up means reload to supervisord: everything stops, and here nothing starts it again.
        bank.main()
    options.close_logger()
    with suppress(OSError):
        # A progress bar that was broken off has hidden it.
        console.show_cursor()
    if bank.failure:
        raise StartError(bank.failure)


class _Poller(Poller):  # type: ignore[misc]  # supervisor has no types
    """A poller that looks up often enough to act on a signal as people expect."""

    def poll(self, _timeout: float) -> Any:
        """Wait for output, a short while."""
        return super().poll(TURN_SECONDS)


class _Options(ServerOptions):  # type: ignore[misc]  # supervisor has no types
    """supervisord's settings, made here instead of read from a file."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.configfile = io.StringIO("[supervisord]\nnodaemon = true\nsilent = true\n")
        self.realize(args=[])
        self.logfile = str(plan.home.log / "supervisor.log")
        self.logfile_maxbytes = LOG_BYTES
        self.logfile_backups = 1
        self.pidfile = str(plan.home.run / "supervisor.pid")
        self.nocleanup = True
        self.first = True
        self.poller = _Poller(self)
        self.test = False
        self.process_group_configs = [
            ProcessGroupConfig(self, f"rank{rank}", rank, self._configure(plan, rank))
            for rank in sorted(set(RANKS.values()))
        ]
        self._home = plan.home

    def _configure(self, plan: Plan, rank: int) -> list[ProcessConfig]:
        return [
            _configuration(self, program, plan.home)
            for program in plan.programs()
            if RANKS[program.stage] == rank
        ]

    def fork(self) -> int:
        """Fork. A signal that the child is sent before it becomes its program ends it.

        supervisord's own handlers, which it would inherit, note such a signal and forget it.
        """
        taken = signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN_SIGNALS)
        try:
            pid: int = super().fork()
            if pid == 0:
                for number in TAKEN_SIGNALS:
                    signal.signal(number, signal.SIG_DFL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, taken)
        return pid

    def execve(self, filename: str, argv: list[str], env: dict[str, str]) -> None:
        """Record the new process, then become its program."""
        record_self(self._home.processes, env["SUPERVISOR_PROCESS_NAME"])
        super().execve(filename, argv, env)


def _configuration(options: _Options, program: Program, home: Home) -> ProcessConfig:
    """Translate ``program`` for supervisord.

    What the opening prints is shown, so its log has its complaints alone.
    """
    is_opening = program.stage == "opening"
    log = str(home.log / f"{program.name}.log")
    logging = {
        f"{channel}_{name}": value
        for channel, file in (("stdout", None if is_opening else log), ("stderr", log))
        for name, value in {
            "logfile": file,
            "logfile_maxbytes": LOG_BYTES,
            "logfile_backups": 1,
            "capture_maxbytes": 0,
            "events_enabled": is_opening,
            "syslog": False,
        }.items()
    }
    return ProcessConfig(
        options,
        name=program.name,
        command=shlex.join(program.command),
        directory=str(PROJECT),
        # A log line is written when it is made, not when a buffer is full.
        environment={
            "PYTHONUNBUFFERED": "1",
            # How PostgreSQL shows its connections.
            "PGAPPNAME": program.name,
            **program.environment,
        },
        autostart=False,
        autorestart=False,
        startsecs=0 if is_opening else STEADY_SECONDS,
        startretries=RETRIES,
        stopsignal=signal_number(program.stop_signal),
        stopwaitsecs=program.stop_seconds,
        stopasgroup=False,
        killasgroup=True,
        exitcodes=[0],
        redirect_stderr=not is_opening,
        priority=RANKS[program.stage],
        uid=None,
        umask=None,
        **logging,
    )


class _Bank(Supervisor):  # type: ignore[misc]  # supervisor has no types
    """A supervisor that opens the bank stage by stage and says what happens.

    A bank that was opened before starts its pages at once, beside its servers: they refuse to
    start over a schema that is not the code's. When they do, it is opened as a new one is.
    """

    def __init__(self, options: _Options, plan: Plan, console: Console) -> None:
        super().__init__(options)
        self.failure: str | None = None
        self._is_open = False
        self._plan = plan
        self._console = console
        self._parent = os.getppid()
        self._has_terminal = _terminal_is_there()

    @staticmethod
    def _history(plan: Plan) -> History:
        return read_history(plan.home, plan.database)

    def runforever(self) -> None:
        """Run until told to stop."""
        events.subscribe(events.ProcessLogStdoutEvent, self._on_output)
        events.subscribe(events.ProcessStateExitedEvent, self._on_end)
        events.subscribe(events.ProcessStateBackoffEvent, self._on_end)
        events.subscribe(events.ProcessStateFatalEvent, self._on_fatal)
        events.subscribe(events.SupervisorStoppingEvent, self._on_stopping)
        self._start("servers")
        is_opened = self._history(self._plan).is_complete(self._plan.aliases)
        self._start("pages" if is_opened else "opening")
        super().runforever()

    def tick(self, now: float | None = None) -> None:
        """Look, at every turn, whether anybody is still there, and whether the pages answer."""
        super().tick(now)
        if os.getppid() != self._parent or (self._has_terminal and not _terminal_is_there()):
            self._stop()
        if not self._is_open and not self._is_closing and self._process("web").pid:
            self._look_whether_open()

    @property
    def _is_closing(self) -> bool:
        """Tell whether it was told to stop; what starts from now on nobody would end."""
        return bool(self.options.mood < SupervisorStates.RUNNING)

    def _look_whether_open(self) -> None:
        """Open the bank when it answers; the balancer, where there is one, once the pages do."""
        address, balancing = self._plan.settings["PUBLIC_URL"], self._plan.balancing
        if balancing and not self._process(BALANCER).pid:
            if self._answers(LOOPBACK, balancing.workers[0], address):
                self._start("balancing")
            return
        self._is_open = self._answers(self._plan.reached, self._plan.port, address)
        if self._is_open:
            # Not sooner: on a small machine they would keep the pages waiting.
            self._start("background")
            self._keep_running()
            self._console_write(self._history(self._plan).logins)
            for name, place in places_of(self._plan).items():
                self._console_write(f"  {name:14} {place}\n")
            self._say(f"[bold green]The bank is open: {address}[/]  [dim](Ctrl-C closes it)[/]")

    @staticmethod
    def _answers(host: str, port: int, address: str) -> bool:
        web = http.client.HTTPConnection(host, port, timeout=1)
        try:
            web.request("GET", "/health", headers={"Host": urlsplit(address).netloc})
            return web.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            web.close()

    def _start(self, stage: Stage) -> None:
        for program in self._plan.programs():
            if program.stage == stage:
                self._process(program.name).spawn()

    def _keep_running(self) -> None:
        """Start again what ends by itself from now on; before, an end was a reason to give up."""
        for program in self._plan.programs():
            if program.stage != "opening":
                self._process(program.name).config.autorestart = RestartUnconditionally

    def _process(self, name: str) -> Any:
        groups = self.process_groups.values()
        return next(group.processes[name] for group in groups if name in group.processes)

    def _on_output(self, event: Any) -> None:
        """Show what the opening prints, as it prints it."""
        self._console_write(event.data.decode("utf-8", errors="replace"))

    def _on_end(self, event: Any) -> None:
        # Ctrl-C reaches a child that is just being made as well; that is no failed start.
        self.handle_signal()
        if self._is_closing:
            return
        process = event.process
        if process.pid:
            # What a dead leader leaves in its process group would hold its port.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        name, opening = process.config.name, self._process("opening")
        if self._is_open:
            self._say(f"[yellow]{name} ended by itself; it is started again[/]")
        elif process is opening and getattr(event, "expected", False):
            self._start("pages")
        elif name == "web" and not opening.laststart:
            if process.get_state() == ProcessStates.BACKOFF:
                process.stop()
            self._start("opening")
        else:
            self._on_failed_start(name, process)

    def _on_failed_start(self, name: str, process: Any) -> None:
        reason = _last_line(self._plan.home.log / f"{name}.log") or process.spawnerr
        opening = self._process("opening")
        if process is opening:
            self._fail(reason)
        elif name.startswith(f"{POSTGRES}-") and not opening.laststart:
            # The others can do without a branch; once they are open, it is tried again.
            self._say(f"[yellow]{name} does not start; the others go on: {reason}[/]")
        else:
            self._fail(f"{name} does not start: {reason}")

    def _on_fatal(self, event: Any) -> None:
        if self._is_closing:
            return
        name = event.process.config.name
        self._say(f"[red]{name} does not stay up; see {self._plan.home.log / name}.log[/]")

    def _on_stopping(self, _event: Any) -> None:
        self._say("[dim]Closing the bank …[/]")

    def _fail(self, reason: str) -> None:
        """Give up the start; the first reason is the one to tell."""
        self.failure = self.failure or reason
        self._stop()

    def _stop(self) -> None:
        self.options.mood = SupervisorStates.SHUTDOWN

    def _say(self, text: str) -> None:
        """Print ``text``; a terminal that is gone is no reason to fail."""
        with suppress(OSError):
            self._console.print(text, highlight=False)

    def _console_write(self, text: str) -> None:
        with suppress(OSError):
            self._console.file.write(text)
            self._console.file.flush()


def _terminal_is_there() -> bool:
    """Tell whether standard input is a terminal that somebody still has open.

    A closed window is told to the first process of its session only; that may be make, which
    waits for its children instead of telling them.
    """
    try:
        os.tcgetpgrp(0)
    except OSError:
        return False
    return True


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
