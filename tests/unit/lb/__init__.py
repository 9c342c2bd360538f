"""The balancer's pure parts."""
