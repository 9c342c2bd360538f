"""What befalls a node, and for how long."""

from enum import StrEnum
from typing import Final

from tests.faults._nodes import LabNode


class Fault(StrEnum):
    """Harm to a node or to the network before it."""

    CRASH = "crash"
    PAUSE = "pause"
    RESET = "reset"
    BLACK_HOLE = "black hole"
    SLOW = "slow"


# Longer than the bank's own patience with a lock where the node is silent.
SECONDS: Final = {
    Fault.CRASH: 0.2,
    Fault.PAUSE: 4.0,
    Fault.RESET: 0.3,
    Fault.BLACK_HOLE: 4.0,
    Fault.SLOW: 1.0,
}
_SLOWNESS: Final = 0.15


def strike(node: LabNode, fault: Fault) -> None:
    """Do the harm; ``node.heal()`` undoes it."""
    match fault:
        case Fault.CRASH:
            node.crash()
        case Fault.PAUSE:
            node.pause()
        case Fault.RESET:
            node.proxy.reset()
        case Fault.BLACK_HOLE:
            node.proxy.swallow()
        case Fault.SLOW:
            node.proxy.slow_down(_SLOWNESS)
