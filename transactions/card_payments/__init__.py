"""What cards pay: set aside, then captured, released, or expired; and asking for cards."""
