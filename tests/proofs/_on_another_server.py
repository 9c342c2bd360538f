"""The core of the ledger on the server that the environment names: machine, partitions, guards."""

import sys

import django
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test


def main() -> None:
    """Run the state machine briefly on the bank, then its upkeep, then prove the books."""
    django.setup()
    from core.clock import now
    from tests.ledger_machine import LedgerMachine
    from transactions.ledger.invariants import check_books
    from transactions.upkeep import run_upkeep

    LedgerMachine.superuser_url = sys.argv[1]
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    run_upkeep(now=now())
    report = check_books()
    print(report.transfers, report.findings)
    sys.exit(bool(report.findings))


if __name__ == "__main__":
    main()
