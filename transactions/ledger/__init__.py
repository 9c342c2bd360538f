"""The ledger: its SQL functions and the only Python that calls them."""
