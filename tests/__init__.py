"""The bank under test."""
