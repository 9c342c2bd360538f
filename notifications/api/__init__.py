"""Messages and webhooks over the API, a module a feature."""
