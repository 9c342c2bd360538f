"""Notices: what happened, told to the people it concerns by the ways that they chose."""
