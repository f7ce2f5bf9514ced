"""EC2 networking: VPCs and all that is in them, and what a firewall is told."""
