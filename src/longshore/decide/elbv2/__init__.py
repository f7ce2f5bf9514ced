"""Load balancing decided: what the data plane is told, and which tasks are targets."""
