"""The project: settings, addresses, how it is run. Nothing imports it."""
