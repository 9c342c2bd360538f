"""Tests of the terminal client, against a bank that is really served."""
