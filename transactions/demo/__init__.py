"""A bank of people who do not exist, with histories that could be true."""
