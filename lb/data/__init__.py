"""The balancer's data plane: an HTTP/1.1 proxy that knows no Django and outlives it."""
