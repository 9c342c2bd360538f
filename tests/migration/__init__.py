"""Tests of the way from one schema to the next."""
