"""People over the API, a module a feature."""
