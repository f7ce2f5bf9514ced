"""EC2 networking decided: what the firewall lets through, and what reaches the world."""
