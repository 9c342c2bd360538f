"""Messages: mails and SMS that are to leave the bank, each kept until it has left."""
