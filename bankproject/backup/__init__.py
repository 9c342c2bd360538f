"""Backups of all nodes, encrypted, and the way back to one point of time: `manage.py backup`."""
