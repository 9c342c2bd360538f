"""On which days the bank works."""
