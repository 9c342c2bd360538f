"""The ways a message leaves the bank."""
