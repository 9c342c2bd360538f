"""Loading other banks' books, on a real ledger."""
