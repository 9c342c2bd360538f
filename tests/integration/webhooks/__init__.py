"""Webhooks: from what happens in the ledger to a receiver."""
