"""The ledger, on real PostgreSQL, as the application's own role."""
