"""The balancer from outside: what clients and backends see."""
