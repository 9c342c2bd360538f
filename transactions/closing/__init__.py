"""The end of the bank's day: what is done once for each date, in order."""
