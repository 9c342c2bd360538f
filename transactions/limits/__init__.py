"""What accounts may spend: shown to their holders, lowered at once, raised after a day."""
