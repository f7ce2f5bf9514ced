"""Load balancing: ELBv2's records, certificates, and what a load balancer driver is told."""
