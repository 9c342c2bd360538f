"""What savings earn: kept each day, posted each month."""
