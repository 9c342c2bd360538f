"""The end of the bank's day."""
