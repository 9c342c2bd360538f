"""What happens to people, told as the bank does it: a process of the proof.

    python -m tests.proofs._notification_work NOTICES SECONDS

Every third notice is told twice, as by a tailer that died.
"""

import sys
import time

import django

PEOPLE = 10


def main() -> None:
    """Do what the command line says."""
    django.setup()
    notices, seconds = int(sys.argv[1]), float(sys.argv[2])
    from accounts.models import User
    from core.clock import now
    from notifications.notices.models import NoticeKind
    from notifications.notices.telling import NewNotice, tell

    people = [
        User.objects.create_user(f"person{number}@example.org", None, full_name="Asha Rao")
        for number in range(PEOPLE)
    ]
    started = time.monotonic()
    for number in range(notices):
        told = NewNotice(
            person=people[number % PEOPLE].pk,
            kind=NoticeKind.PAYEE_ADDED,
            source=str(number),
            occurred_at=now(),
            data={"name": f"Payee {number}", "account": 11_000_000_017},
        )
        for _each in range(2 if number % 3 == 0 else 1):
            tell([told], now=now())
        time.sleep(max(started + seconds * number / notices - time.monotonic(), 0.0))


if __name__ == "__main__":
    main()
