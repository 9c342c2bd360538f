"""Statements: what is wanted of an account's history, its totals, and files of it."""
