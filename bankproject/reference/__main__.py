"""Write the pages of the reference that are made from the code: ``make reference`` runs this."""

import os
import sys
from typing import Final

import django

# Settings want addresses; nothing connects to them.
_NOWHERE: Final = {
    "DJANGO_SETTINGS_MODULE": "bankproject.settings.dev",
    "DATABASE_URL": "postgresql://bank_app@127.0.0.1/bank",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "signs nothing",
}


def main() -> None:
    """Write what changed, and say what did."""
    for name, value in _NOWHERE.items():
        os.environ.setdefault(name, value)
    django.setup()
    from bankproject.reference.pages import write

    for name in write():
        sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()
