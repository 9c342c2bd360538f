"""People, branches, and the identity of accounts."""
