"""A process of clients, told what to do by lines on its input. Words: name, seed, clients, notes.

``work`` and ``rest`` let the clients act at random, and wait until none does. ``send KEY DEBIT
CREDIT AMOUNT`` lets the first one send. ``stop STEP`` and ``die STEP`` wait for a transfer between
nodes to reach a step; a stopped one goes on at ``go``. ``change KIND KEY ACCOUNT REFERENCE`` has
steps, too. Answers are lines on its output.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import django

django.setup()

from tests.faults._changing import change, tell_steps  # noqa: E402  # needs Django set up
from tests.faults._client import Client  # noqa: E402  # as above
from tests.faults._notes import Notes  # noqa: E402  # as above
from transactions.branches import commitment  # noqa: E402  # as above


class Steps:
    """Waits for transfers to reach a step."""

    def __init__(self) -> None:
        """Wait for none."""
        self.go_on = threading.Event()
        self._awaited = ""
        self._lock = threading.Lock()
        self._must_die = False

    def wait_for(self, step: str, *, must_die: bool) -> None:
        """Stop, or end this process, when a transfer reaches a step for the first time."""
        with self._lock:
            self.go_on.clear()
            self._awaited, self._must_die = step, must_die

    def reached(self, step: str) -> None:
        """Note that a transfer has come to a step."""
        with self._lock:
            if step != self._awaited:
                return
            self._awaited = ""
        if self._must_die:
            os.kill(os.getpid(), signal.SIGKILL)
        answer(f"at {step}")
        self.go_on.wait()


class Worker:
    """Runs clients, each on a thread of its own."""

    def __init__(self, clients: list[Client]) -> None:
        """Let them rest at first."""
        self._clients = clients
        self._steps = Steps()
        self._working = threading.Event()
        commitment.on_step = self._steps.reached
        tell_steps(self._steps.reached)
        for client in clients:
            threading.Thread(target=self._act, args=(client,), daemon=True).start()

    def obey(self, command: str, *words: str) -> None:
        """Do what a line says."""
        match command:
            case "work":
                self._working.set()
            case "rest":
                self._rest()
            case "send":
                threading.Thread(target=self._send, args=words, daemon=True).start()
            case "change":
                threading.Thread(target=self._change, args=words, daemon=True).start()
            case "stop" | "die":
                self._steps.wait_for(words[0], must_die=command == "die")
                answer(f"awaiting {words[0]}")
            case "go":
                self._steps.go_on.set()

    def _act(self, client: Client) -> None:
        while True:
            self._working.wait()
            with client.turn:
                if self._working.is_set():
                    client.act()

    def _rest(self) -> None:
        self._working.clear()
        for client in self._clients:
            with client.turn:
                pass
        answer("resting")

    def _send(self, key: str, debit: str, credit: str, amount: str) -> None:
        client = self._clients[0]
        outcome = client.send(key=key, debit=int(debit), credit=int(credit), amount=int(amount))
        answer(f"sent {outcome}")

    def _change(self, kind: str, key: str, account: str, reference: str) -> None:
        self._steps.reached("asked")
        outcome = change(kind, key=key, account=int(account), reference=reference)
        answer(f"change {outcome}")


def answer(line: str) -> None:
    """Tell the laboratory."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Work until the input ends."""
    name, seed, count, notes = sys.argv[1:]
    book = Notes(Path(notes))
    clients = [
        Client(name=f"{name}{place}", user=place, seed=f"{seed} {name} {place}", notes=book)
        for place in range(1, int(count) + 1)
    ]
    worker = Worker(clients)
    answer("ready")
    for line in sys.stdin:
        worker.obey(*line.split())


if __name__ == "__main__":
    main()
