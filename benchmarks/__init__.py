"""Figures that anyone can repeat: `make bench NAME=…`."""
