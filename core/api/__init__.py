"""What every method of the API shares."""
