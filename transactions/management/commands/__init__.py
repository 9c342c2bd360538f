"""Commands of the ledger, of imports and of the demo."""
