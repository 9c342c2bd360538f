"""HAProxy as the balancer's data plane: it forwards, and we tell it what to whom."""
