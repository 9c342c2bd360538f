"""Commands that every node needs."""
