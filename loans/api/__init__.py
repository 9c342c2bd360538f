"""The API of lending."""
