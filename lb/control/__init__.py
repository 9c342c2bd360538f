"""The balancer's control plane: which backends there are, and what its data planes shall do."""
