"""What Prometheus is told of the bank."""
