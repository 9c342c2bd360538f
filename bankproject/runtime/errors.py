"""What stops the bank's servers from starting."""


class StartError(Exception):
    """Say in one line why the bank cannot start and what to do about it."""
