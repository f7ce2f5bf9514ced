"""Service Connect's data plane: a HAProxy in each task's network namespace."""
