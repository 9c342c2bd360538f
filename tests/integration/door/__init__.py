"""The log-in door, tokens, keys, codes and how all of them end."""
