"""Tests of payees, standing orders and limits."""
