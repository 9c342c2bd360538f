"""Commands of the balancer's control plane."""
