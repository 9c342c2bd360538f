"""Lending without a database."""
