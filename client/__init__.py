"""The bank's terminal client: a program that knows the bank by its public API alone."""

from typing import Final

__version__: Final = "0.1.0"
