"""The load balancers' data plane: HAProxy, one process per Longshore."""
