"""Webhooks: what happens on people's accounts, told to the addresses that they gave."""
