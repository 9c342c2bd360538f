"""Many payments in one file of a firm's: read, checked item by item, and sent once."""
