"""Run the balancer: ``python -m lb.data --snapshot FILE-or-URL``."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from lb.data.processes import Settings, supervisor
from lb.data.tls import Door


def main() -> None:
    """Read the command line, and serve until SIGTERM."""
    given = _parser().parse_args()
    if given.certificate:
        refuse_bad_certificate(given.certificate)
    if given.attempt:
        return
    settings = Settings(
        listen=given.listen,
        monitor=given.monitor,
        snapshot=given.snapshot,
        kept=given.keep,
        workers=given.workers,
        certificate=given.certificate,
    )
    try:
        running = supervisor(settings)
    except OSError as error:
        sys.exit(f"Cannot listen: {error}")
    running.run()


def refuse_bad_certificate(file: str) -> None:
    """End with one line unless TLS can be spoken with a file."""
    try:
        Door(Path(file))
    except OSError as error:
        sys.exit(f"Cannot speak TLS with {file}: {error}")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m lb.data", description="Balance HTTP/1.1 requests.")
    parser.add_argument(
        "--snapshot",
        required=True,
        help="a file, or an http:// address, which is shown BALANCER_TOKEN; read each second",
    )
    parser.add_argument("--keep", help="where the last snapshot is kept for the next start")
    parser.add_argument("--listen", type=address, default=("127.0.0.1", 8080), metavar="IP:PORT")
    parser.add_argument(
        "--monitor",
        type=address,
        default=("127.0.0.1", 9090),
        metavar="IP:PORT",
        help="/metrics and /health of the first worker; the next has the next port",
    )
    parser.add_argument(
        "--certificate",
        metavar="FILE",
        help="speak TLS with these certificates and their key (PEM); taken anew when it changes",
    )
    parser.add_argument("--workers", type=_workers, default=1, help="processes, 1 to 64")
    parser.add_argument(
        "--try", dest="attempt", action="store_true", help="load everything, and end"
    )
    return parser


def address(text: str) -> tuple[str, int]:
    """Read IP:PORT of a command line. Raises ``ArgumentTypeError``."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        message = f"{text} is no IP:PORT"
        raise ArgumentTypeError(message)
    return host.strip("[]"), int(port)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:  # noqa: PLR2004  # help says it
        message = f"{text} is no number from 1 to 64"
        raise ArgumentTypeError(message)
    return int(text)


if __name__ == "__main__":
    main()
