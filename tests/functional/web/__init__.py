"""Web workers from outside: what clients and balancers see."""
