"""Transfers that customers leave with the bank, to be sent when they can be."""
