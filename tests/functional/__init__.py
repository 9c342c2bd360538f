"""The bank as its users meet it: in a terminal, a browser, over the API."""
