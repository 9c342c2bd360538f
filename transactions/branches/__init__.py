"""Branches with ledgers of their own: which node has what, and transfers between them."""
