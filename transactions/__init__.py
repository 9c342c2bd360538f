"""Money: posting it, showing it, loading it."""
