"""The load balancer of the bank's own servers."""
