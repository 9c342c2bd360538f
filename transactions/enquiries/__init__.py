"""What those who work for the bank look up: people, accounts, transfers, branches. Reads alone."""
