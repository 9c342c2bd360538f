"""Messages to people: the outbox and the channels they leave by."""
