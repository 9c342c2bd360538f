"""Tests of a bank of several nodes."""
