"""What every part of the bank stands on; it knows nothing of banking but money."""
