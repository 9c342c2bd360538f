"""Embedded servers and supervision: a whole bank on one machine."""
