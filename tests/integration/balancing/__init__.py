"""The load balancer's control plane, and HAProxy under it."""
