"""Pages of those who work for the bank."""
