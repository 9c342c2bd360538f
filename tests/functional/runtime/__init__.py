"""The running bank: start, crash, stop, refuse."""
