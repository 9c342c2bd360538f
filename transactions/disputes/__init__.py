"""Movements of which a customer says that they are wrong, and what the bank answers."""
