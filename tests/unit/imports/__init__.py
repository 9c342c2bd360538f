"""Reading the fields of imported files."""
