"""Lending on a real bank."""
