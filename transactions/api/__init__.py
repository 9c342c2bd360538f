"""Money over the API, a module a feature. Amounts are decimal strings."""
