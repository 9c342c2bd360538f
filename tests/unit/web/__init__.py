"""How web workers answer requests."""
